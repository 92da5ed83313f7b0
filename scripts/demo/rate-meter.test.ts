import { expect, it } from 'vitest';
import { RateMeter } from './rate-meter.ts';

it('averages over the last three seconds', () => {
  const meter = new RateMeter();
  expect(meter.read(0, 500)).toBe(0);
  expect(meter.read(500, 1_000)).toBe(1_000);
  expect(meter.read(1_000, 1_000)).toBe(500);
  for (let at = 1_500; at <= 6_000; at += 500) meter.read(at, 1_000 + at);
  expect(meter.read(6_500, 7_500)).toBe(1_000);
});
