import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.ts';

describe('Backoff', () => {
  it('doubles up to its longest wait, and begins anew after a reset', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 1000 }, () => 0);
    expect([
      backoff.next(),
      backoff.next(),
      backoff.next(),
      backoff.next(),
      backoff.next(),
      backoff.next(),
    ]).toEqual([50, 100, 200, 400, 500, 500]);
    expect(backoff.attempts).toBe(6);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.next()).toBe(50);
  });

  it('stays between half the ceiling and the ceiling, for ever', () => {
    const settings = fc.record({
      firstMs: fc.integer({ min: 1, max: 10_000 }),
      maxMs: fc.integer({ min: 1, max: 100_000 }),
    });
    const randoms = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(settings, randoms, (given, values) => {
        let at = 0;
        const backoff = new Backoff(given, () => values[at]!);
        for (; at < values.length; at++) {
          const ceiling = Math.min(given.maxMs, given.firstMs * 2 ** at);
          const delay = backoff.next();
          expect(delay).toBeGreaterThanOrEqual(ceiling / 2);
          expect(delay).toBeLessThanOrEqual(ceiling);
        }
      }),
    );
  });

  it('does not overflow after thousands of failures', () => {
    const backoff = new Backoff({ firstMs: 500, maxMs: 60_000 }, () => 0.5);
    for (let at = 0; at < 5000; at++) backoff.next();
    expect(backoff.next()).toBe(45_000);
  });
});
