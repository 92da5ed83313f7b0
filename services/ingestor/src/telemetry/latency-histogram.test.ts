import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LATENCY_BOUNDS_MS, LatencyHistogram, quantileOf } from './latency-histogram.ts';

describe('LatencyHistogram', () => {
  it('counts a value equal to a bound in that bucket and a larger one in the next', () => {
    const histogram = new LatencyHistogram();
    histogram.observe(0);
    histogram.observe(0.5);
    histogram.observe(0.501);
    histogram.observe(5000);
    histogram.observe(5000.1);
    expect([...histogram.counts]).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(histogram.count).toBe(5);
    expect(histogram.sum).toBeCloseTo(10_001.101, 6);
  });

  it('puts every value into the bucket that a search finds', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 200 }), (values) => {
        const histogram = new LatencyHistogram();
        const expected = new Array(LATENCY_BOUNDS_MS.length + 1).fill(0);
        for (const value of values) {
          histogram.observe(value);
          const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => value <= bound);
          expected[bucket === -1 ? LATENCY_BOUNDS_MS.length : bucket]++;
        }
        expect([...histogram.counts]).toEqual(expected);
        expect(histogram.sum).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          3,
        );
      }),
    );
  });
});

describe('quantileOf', () => {
  it('is null when there is nothing', () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeNull();
  });

  it('interpolates within the bucket', () => {
    const histogram = new LatencyHistogram();
    // 10 observations in (10, 25]: the median lies in the middle of the bucket.
    for (let n = 0; n < 10; n++) histogram.observe(20);
    expect(histogram.quantile(0.5)).toBeCloseTo(17.5, 10);
    expect(histogram.quantile(1)).toBe(25);
    expect(histogram.quantile(0)).toBe(10);
  });

  it('answers the largest bound for what lies above it', () => {
    const histogram = new LatencyHistogram();
    histogram.observe(60_000);
    expect(histogram.quantile(0.99)).toBe(5000);
  });

  it('lies in the bucket of the exact quantile, and grows with p', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 4999, noNaN: true }), { minLength: 1, maxLength: 100 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, p) => {
          const histogram = new LatencyHistogram();
          for (const value of values) histogram.observe(value);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.ceil(p * values.length - 1e-9) - 1]!;
          const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => exact <= bound);
          const estimate = quantileOf(histogram.bounds, histogram.counts, p)!;
          expect(estimate).toBeLessThanOrEqual(LATENCY_BOUNDS_MS[bucket]!);
          expect(estimate).toBeGreaterThanOrEqual(bucket === 0 ? 0 : LATENCY_BOUNDS_MS[bucket - 1]!);
          expect(histogram.quantile(1)!).toBeGreaterThanOrEqual(estimate);
        },
      ),
    );
  });
});
