import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const shapes = fc.record({
  burst: fc.integer({ min: 1, max: 50 }),
  perSecond: fc.double({ min: 0.1, max: 100, noNaN: true }),
});
const steps = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 60 });

describe('TokenBucket', () => {
  it('never grants more than burst + rate × time in any span', () => {
    fc.assert(
      fc.property(shapes, steps, ({ burst, perSecond }, waits) => {
        const bucket = new TokenBucket(burst, perSecond, 0);
        const granted: number[] = [];
        let now = 0;
        for (const wait of waits) {
          now += wait;
          while (bucket.tryTake(now)) granted.push(now);
        }
        let excess = 0;
        granted.forEach((from, first) => {
          for (let last = first; last < granted.length; last++) {
            const allowed = burst + (perSecond * (granted[last]! - from)) / 1000;
            excess = Math.max(excess, last - first + 1 - allowed);
          }
        });
        expect(excess).toBeLessThanOrEqual(1e-6);
      }),
    );
  });

  it('grants after exactly the wait that it names', () => {
    fc.assert(
      fc.property(shapes, steps, ({ burst, perSecond }, waits) => {
        const bucket = new TokenBucket(burst, perSecond, 0);
        let now = 0;
        for (const wait of waits) {
          now += wait;
          const needed = bucket.waitMs(now);
          expect(bucket.tryTake(now)).toBe(needed === 0);
          if (needed === 0) continue;
          now += needed;
          expect(bucket.tryTake(now)).toBe(true);
        }
      }),
    );
  });

  it('keeps the reserve for what cannot wait, and lets that run into debt', () => {
    const bucket = new TokenBucket(2, 1, 0);
    expect(bucket.tryTake(0, 1)).toBe(true);
    expect(bucket.tryTake(0, 1)).toBe(false);
    bucket.spend(0);
    bucket.spend(0);
    expect(bucket.waitMs(0)).toBe(2000);
    expect(bucket.waitMs(0, 1)).toBe(3000);
  });

  it('with a burst of one the reserve does not block for ever', () => {
    const bucket = new TokenBucket(1, 1, 0);
    expect(bucket.tryTake(0, 1)).toBe(true);
    expect(bucket.waitMs(0, 1)).toBe(1000);
  });

  it('halves and recovers by tenths of the full rate', () => {
    const bucket = new TokenBucket(10, 8, 0);
    bucket.slowDown(0);
    expect(bucket.tryTake(0)).toBe(true);
    expect(bucket.waitMs(0)).toBeCloseTo(250);
    expect(bucket.recover(0)).toBe(false);
    expect(bucket.waitMs(0)).toBeCloseTo(1000 / 4.8);
    for (let at = 0; at < 3; at++) expect(bucket.recover(0)).toBe(false);
    expect(bucket.recover(0)).toBe(true);
    expect(bucket.waitMs(0)).toBeCloseTo(125);
  });

  it('halves no further than to a 32nd', () => {
    const bucket = new TokenBucket(1, 32, 0);
    for (let at = 0; at < 20; at++) bucket.slowDown(0);
    bucket.spend(0);
    expect(bucket.waitMs(0)).toBe(1000);
  });

  it('is unlimited with Infinity', () => {
    const bucket = new TokenBucket(Infinity, Infinity, 0);
    for (let at = 0; at < 1000; at++) expect(bucket.tryTake(at / 100)).toBe(true);
  });
});
