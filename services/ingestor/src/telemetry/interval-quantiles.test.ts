import { describe, expect, it } from 'vitest';
import { IntervalQuantiles } from './interval-quantiles.ts';
import { LatencyHistogram } from './latency-histogram.ts';

describe('IntervalQuantiles', () => {
  it('forgets what is older than two intervals', () => {
    const histogram = new LatencyHistogram();
    const recent = new IntervalQuantiles(histogram, 1_000, 0);
    for (let n = 0; n < 1_000; n++) histogram.observe(4_000);
    expect(recent.read(500)!.p50).toBeGreaterThan(2_500);
    expect(recent.read(1_000)!.p50).toBeGreaterThan(2_500);
    for (let n = 0; n < 10; n++) histogram.observe(0.1);
    expect(recent.read(2_000)).toEqual({ p50: 0.25, p99: 0.495 });
  });

  it('answers null when the interval saw nothing', () => {
    const histogram = new LatencyHistogram();
    const recent = new IntervalQuantiles(histogram, 1_000, 0);
    expect(recent.read(10)).toBeNull();
    histogram.observe(3);
    expect(recent.read(20)).not.toBeNull();
    recent.read(1_000);
    expect(recent.read(2_000)).toBeNull();
  });

  it('gives two readers the same answer: reading does not consume', () => {
    const histogram = new LatencyHistogram();
    const recent = new IntervalQuantiles(histogram, 1_000, 0);
    histogram.observe(7);
    const first = recent.read(100);
    expect(first).not.toBeNull();
    expect(recent.read(100)).toEqual(first);
    expect(recent.read(900)).toEqual(first);
  });
});
