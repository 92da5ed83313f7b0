import { expect, it } from 'vitest';
import { RecentLatency } from './recent-latency.ts';

it('forgets what is older than ten seconds', () => {
  const recent = new RecentLatency();
  expect(recent.percentiles(10_000)).toEqual({ p50Ms: null, p99Ms: null });
  recent.record(2_000);
  expect(recent.percentiles(12_000).p50Ms).toBeCloseTo(2, 1);
  recent.record(8_000);
  expect(recent.percentiles(15_000).p99Ms).toBeCloseTo(8, 0);
  expect(recent.percentiles(19_000).p99Ms).toBeCloseTo(8, 0);
  expect(recent.percentiles(20_000)).toEqual({ p50Ms: null, p99Ms: null });
});
