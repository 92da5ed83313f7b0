import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownersBy, podCount, type ShardPlan } from './ownership.ts';
import { tallyUnits, type UnitSum, type UnitTally } from './unit-tally.ts';

const plan: ShardPlan = {
  count: 3,
  previousCount: null,
  pins: [],
  exclusive: [],
  previousPins: null,
  previousExclusive: null,
};

const symbols = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 40 });

/** What each pod says of these symbols, when pod `index` runs `planOf(index)`. */
function tallies(of: readonly string[], pods: number, planOf: (index: number) => ShardPlan): UnitTally[] {
  return Array.from({ length: pods }, (_, shard) => {
    const owners = ownersBy(planOf(shard));
    return tallyUnits({ exchange: 'okx', shard, owners: (symbol) => owners(`okx:${symbol}`) }, of);
  });
}

function sumOwned(of: readonly UnitTally[]): UnitSum {
  return of.reduce((sum, { owned }) => ({ count: sum.count + owned.count, hash: sum.hash + owned.hash }), {
    count: 0,
    hash: 0,
  });
}

describe('tallyUnits', () => {
  it('sums up over the shards to what is configured, while the count changes too', () => {
    fc.assert(
      fc.property(
        symbols,
        fc.integer({ min: 1, max: 6 }),
        fc.option(fc.integer({ min: 1, max: 6 })),
        (of, count, previousCount) => {
          const agreed = { ...plan, count, previousCount };
          const pods = tallies(of, podCount(agreed), () => agreed);
          for (const { configured } of pods) expect(sumOwned(pods)).toEqual(configured);
        },
      ),
    );
  });

  it('counts a unit twice that has two owners for a while', () => {
    const moved = { ...plan, count: 2, previousCount: 1, pins: [{ unit: 'okx:A', shard: 1 }] };
    const [first] = tallies(['A'], 2, () => moved);
    expect([first!.configured.count, first!.owned.count]).toEqual([2, 1]);
    expect(first!.configured.hash).toBe(2 * first!.owned.hash);
  });

  it('tells one lost and one doubled unit at the same time, which the count does not', () => {
    // Shard 0 was not told that A and B changed places.
    const old = {
      ...plan,
      count: 2,
      pins: ['A', 'B'].map((name, shard) => ({ unit: `okx:${name}`, shard })),
    };
    const now = {
      ...plan,
      count: 2,
      pins: ['B', 'A'].map((name, shard) => ({ unit: `okx:${name}`, shard })),
    };
    const pods = tallies(['A', 'B'], 2, (index) => (index === 0 ? old : now));
    expect(sumOwned(pods).count).toBe(pods[0]!.configured.count);
    expect(sumOwned(pods).hash).not.toBe(pods[0]!.configured.hash);
  });

  it('knows a unit by its exchange', () => {
    const of = (exchange: string) => tallyUnits({ exchange, shard: 0, owners: () => [0] }, ['A']).owned.hash;
    expect(of('okx')).not.toBe(of('kraken'));
  });

  it('is exact for a hundred thousand units', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `S${index}`);
    const [only] = tallies(many, 1, () => ({ ...plan, count: 1 }));
    expect(Number.isSafeInteger(only!.configured.hash)).toBe(true);
    expect(only!.configured).toEqual(only!.owned);
  });
});
