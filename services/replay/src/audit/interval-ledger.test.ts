import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalLedger } from './interval-ledger.ts';

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 }))
  .map(([first, more]): [number, number] => [first, first + more]);

describe('IntervalLedger', () => {
  it('knows what a set of all covered numbers knows, in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 40 }),
        fc.tuple(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 70 })),
        (ranges, [low, high]) => {
          const ledger = new IntervalLedger();
          const known = new Map<number, number>();
          for (const [place, [first, last]] of ranges.entries()) {
            let added = 0;
            for (let number = first; number <= last; number++) {
              if (known.has(number)) continue;
              known.set(number, place);
              added++;
            }
            expect(ledger.cover(first, last, place, place)).toBe(added);
          }
          const missing: number[] = [];
          const lowest = Math.min(...known.keys());
          const highest = Math.max(...known.keys());
          for (let number = Math.max(low, lowest); number <= Math.min(high, highest); number++) {
            if (!known.has(number)) missing.push(number);
          }
          const told = [...ledger.holes(low, high)];
          const inside = told.flatMap(({ first, last }) =>
            Array.from({ length: last - first + 1 }, (_, place) => first + place),
          );
          expect(inside).toEqual(missing);
          for (const { first, last, after, before } of ledger.holes(0, 100)) {
            expect(after.producer).toBe(known.get(first - 1));
            expect(before.producer).toBe(known.get(last + 1));
          }
        },
      ),
    );
  });

  it('is one interval where nothing is missing, and tells who stands beside a hole', () => {
    const ledger = new IntervalLedger();
    for (let number = 1; number <= 1000; number++) ledger.cover(number, number, number * 10, 0);
    expect([...ledger.holes(1, 1000)]).toEqual([]);
    ledger.cover(1004, 1004, 20_000, 1);
    expect([...ledger.holes(1, 2000)]).toEqual([
      {
        first: 1001,
        last: 1003,
        after: { time: 10_000, producer: 0 },
        before: { time: 20_000, producer: 1 },
      },
    ]);
    expect([...ledger.holes(1002, 2000)].map(({ first, last }) => [first, last])).toEqual([[1002, 1003]]);
    expect(ledger.lowest).toBe(1);
  });
});
