import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balance, spread } from './balance.ts';
import { placeBy } from './shard-of.ts';

/** Zipf load: the n-th unit weighs 1/n. */
function zipf(size: number): Map<string, number> {
  return new Map(Array.from({ length: size }, (_, at) => [`binance:C${at}-USDT`, 1000 / (at + 1)]));
}

const plain = { count: 8, pins: [], exclusive: [] };

describe('balance', () => {
  it('brings Zipf load on 8 shards from twice the mean to the weight of the heaviest unit, with few pins', () => {
    const weights = zipf(2000);
    const { before, after, added } = balance(plain, weights);
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    const bound = Math.max(1, (1000 * 8) / total);
    expect(before.hottest).toBeGreaterThan(1.25 * bound);
    expect(after.hottest).toBeLessThanOrEqual(bound * 1.1);
    expect(added.length).toBeLessThan(100);
  });

  it('never makes the hottest shard hotter, loses no weight, and only pins what is there', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string({ maxLength: 5 }), fc.double({ min: 0, max: 1e6, noNaN: true })), {
          selector: ([name]) => name,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 9 }),
        (entries, count) => {
          const weights = new Map(entries.map(([name, weight]) => [`okx:${name}`, weight]));
          const result = balance({ count, pins: [], exclusive: [] }, weights);
          expect(result.after.hottest).toBeLessThanOrEqual(result.before.hottest * (1 + 1e-9));
          const sum = (loads: readonly number[]): number => loads.reduce((a, b) => a + b, 0);
          expect(sum(result.after.loads)).toBeCloseTo(sum(result.before.loads), 3);
          for (const { unit, shard } of result.added) {
            expect(weights.has(unit)).toBe(true);
            expect(shard).toBeGreaterThanOrEqual(0);
            expect(shard).toBeLessThan(count);
          }
        },
      ),
    );
  });

  it('keeps pins that are there, and gives exclusive shards nothing', () => {
    const weights = zipf(300);
    const placement = {
      count: 4,
      pins: [{ unit: 'binance:C0-USDT', shard: 2 }],
      exclusive: [{ shard: 1, units: ['binance:C5-USDT'] }],
    };
    const { pins, added, after } = balance(placement, weights);
    expect(pins[0]).toEqual(placement.pins[0]);
    expect(added.map(({ shard }) => shard)).not.toContain(1);
    expect(added.map(({ unit }) => unit)).not.toContain('binance:C5-USDT');
    expect(after.loads[1]).toBeCloseTo(1000 / 6);
    expect(placeBy({ ...placement, pins })('binance:C0-USDT')).toBe(2);
  });

  it('gives the same pins for the same weights in any order', () => {
    const weights = zipf(400);
    const shuffled = new Map([...weights].reverse());
    expect(balance(plain, shuffled).pins).toEqual(balance(plain, weights).pins);
  });

  it('adds no pin where nothing can be won', () => {
    expect(balance(plain, new Map([['okx:A-B', 5]])).added).toEqual([]);
    expect(balance(plain, new Map()).before).toEqual({ loads: new Array(8).fill(0), hottest: 0 });
    expect(balance({ ...plain, count: 1 }, zipf(10)).added).toEqual([]);
  });

  it('stops at the number of pins that is allowed', () => {
    expect(balance(plain, zipf(2000), { maxPins: 3 }).added.length).toBeLessThanOrEqual(3);
  });
});

describe('spread', () => {
  it('adds the weights of each shard', () => {
    const { loads, hottest } = spread(
      {
        count: 2,
        pins: [
          { unit: 'okx:A-B', shard: 1 },
          { unit: 'okx:C-D', shard: 1 },
          { unit: 'okx:E-F', shard: 0 },
        ],
        exclusive: [],
      },
      new Map([
        ['okx:A-B', 2],
        ['okx:C-D', 4],
        ['okx:E-F', 2],
      ]),
    );
    expect(loads).toEqual([2, 6]);
    expect(hottest).toBe(1.5);
  });
});
