import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownersBy, ownership, podCount, type ShardPlan } from './ownership.ts';

const plain: ShardPlan = {
  count: 4,
  previousCount: null,
  pins: [],
  exclusive: [],
  previousPins: null,
  previousExclusive: null,
};

const unit = fc.string({ minLength: 1, maxLength: 10 }).map((symbol) => `okx:${symbol}`);
const count = fc.integer({ min: 1, max: 12 });

function ownersAmongPods(plan: ShardPlan, name: string): number[] {
  return Array.from({ length: podCount(plan) }, (_, index) => index).filter((index) =>
    ownership({ ...plan, index })(name),
  );
}

describe('ownership', () => {
  it('is total and disjoint: exactly one pod owns a unit', () => {
    fc.assert(
      fc.property(
        unit,
        count,
        fc.array(fc.tuple(unit, fc.nat()), { maxLength: 5 }),
        (name, shards, pinned) => {
          const pins = [...new Map(pinned)].map(([each, shard]) => ({ unit: each, shard: shard % shards }));
          expect(ownersAmongPods({ ...plain, count: shards, pins }, name)).toHaveLength(1);
        },
      ),
    );
  });

  it('is old ∪ new while the count changes, in both directions', () => {
    fc.assert(
      fc.property(unit, count, count, (name, from, to) => {
        const [old] = ownersAmongPods({ ...plain, count: from }, name);
        const [now] = ownersAmongPods({ ...plain, count: to }, name);
        const both = ownersAmongPods({ ...plain, count: to, previousCount: from }, name);
        expect(new Set(both)).toEqual(new Set([old, now]));
      }),
    );
  });

  it('never leaves a unit without an owner in any mix of pods during the change', () => {
    fc.assert(
      fc.property(
        unit,
        count,
        count,
        fc.nat(),
        fc.integer({ min: 0, max: 12 }),
        (name, from, to, pin, rolled) => {
          const before: ShardPlan = { ...plain, count: from, pins: [{ unit: name, shard: pin % from }] };
          const during: ShardPlan = {
            ...plain,
            count: to,
            previousCount: from,
            previousPins: before.pins,
            previousExclusive: [],
          };
          const after: ShardPlan = { ...plain, count: to };
          const pods = Math.max(from, to);
          const owned = (first: ShardPlan, second: ShardPlan): boolean =>
            Array.from({ length: pods }, (_, index) =>
              ownership({ ...(index < rolled ? second : first), index })(name),
            ).some(Boolean);
          expect(owned(before, during)).toBe(true);
          expect(owned(during, after)).toBe(true);
        },
      ),
    );
  });

  it('leaves pins to shards that were not there out of the placement before', () => {
    const plan: ShardPlan = { ...plain, count: 4, previousCount: 2, pins: [{ unit: 'okx:A-B', shard: 3 }] };
    const [now, before] = ownersBy(plan)('okx:A-B');
    expect(now).toBe(3);
    expect(before).toBe(ownersBy({ ...plain, count: 2 })('okx:A-B')[0]);
  });

  it('counts pods of both sides of a change', () => {
    expect(podCount({ count: 4, previousCount: 6 })).toBe(6);
    expect(podCount({ count: 4, previousCount: null })).toBe(4);
  });
});
