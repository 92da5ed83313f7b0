import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './histogram.ts';

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('LatencyHistogram', () => {
  it('has no percentile while it is empty', () => {
    expect(new LatencyHistogram().percentileMs(0.5)).toBeNull();
  });

  it('knows every percentile within 1.6 % (and half a microsecond)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3_600_000_000 }), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
          const found = histogramOf(values).percentileMs(share)! * 1000;
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.016 + 0.5);
        },
      ),
    );
  });

  it('adds up, clears, takes negative and absurd values', () => {
    const sum = histogramOf([1_000]);
    sum.add(histogramOf([9_000, 9_000]));
    expect(sum.count).toBe(3);
    expect(sum.percentileMs(0.99)).toBeCloseTo(9, 0);
    sum.clear();
    expect(sum.count).toBe(0);
    expect(sum.percentileMs(0.5)).toBeNull();
    expect(histogramOf([-5]).percentileMs(1)).toBe(0);
    expect(histogramOf([2 ** 50]).count).toBe(1);
    expect(histogramOf([2 ** 50]).percentileMs(1)).toBeGreaterThan(3_600_000);
  });
});
