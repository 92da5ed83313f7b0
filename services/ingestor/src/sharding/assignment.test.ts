import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssignedUnits, assignmentOf } from './assignment.ts';

const fleet: AssignedUnits = {
  shard: {
    count: 3,
    previousCount: null,
    pins: [
      { unit: 'binance:BTC-USDT', shard: 0 },
      { unit: 'okx:ETH-USDT', shard: 1 },
    ],
    exclusive: [{ shard: 2, units: ['kraken:BTC-USD', 'kraken:ETH-USD'] }],
    previousPins: null,
    previousExclusive: null,
  },
  exchanges: {
    binance: { symbols: ['BTC-USDT', '*-EUR'], channels: ['trades', 'quotes'] },
    okx: { symbols: ['ETH-USDT'], channels: ['trades'] },
  },
};

function withShard(change: Partial<AssignedUnits['shard']>): AssignedUnits {
  return { ...fleet, shard: { ...fleet.shard, ...change } };
}

describe('assignmentOf', () => {
  it('stays what it is from version to version: a rollout must not look like drift', () => {
    expect(assignmentOf(fleet)).toBe('304fbe980269');
  });

  it('does not depend on the order in which things are named', () => {
    const { binance, okx } = fleet.exchanges;
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...fleet.shard.pins], { minLength: 2 }),
        fc.shuffledSubarray(['BTC-USDT', '*-EUR'], { minLength: 2 }),
        fc.boolean(),
        (pins, symbols, swapped) => {
          const own = { ...binance!, symbols };
          const exchanges = swapped ? { okx, binance: own } : { binance: own, okx };
          expect(assignmentOf({ shard: { ...fleet.shard, pins }, exchanges })).toBe(assignmentOf(fleet));
        },
      ),
    );
  });

  it('is the same on every pod, whatever its index', () => {
    const pod = (index: number) => {
      const shard = { ...fleet.shard, index };
      return assignmentOf({ ...fleet, shard });
    };
    expect(pod(0)).toBe(pod(2));
  });

  it('changes with each thing that decides who owns what', () => {
    const exchange = (change: object): AssignedUnits => ({
      ...fleet,
      exchanges: { ...fleet.exchanges, okx: { ...fleet.exchanges.okx!, ...change } },
    });
    const changed = [
      fleet,
      withShard({ count: 4 }),
      withShard({ previousCount: 2 }),
      withShard({ previousCount: 2, previousPins: [] }),
      withShard({ previousCount: 2, previousExclusive: [] }),
      withShard({ pins: [] }),
      withShard({ pins: [{ unit: 'binance:BTC-USDT', shard: 1 }] }),
      withShard({ exclusive: [] }),
      withShard({ exclusive: [{ shard: 2, units: ['kraken:BTC-USD'] }] }),
      exchange({ symbols: ['ETH-USDT', 'BTC-USDT'] }),
      exchange({ symbols: ['*'] }),
      exchange({ channels: ['trades', 'quotes'] }),
      { ...fleet, exchanges: { okx: fleet.exchanges.okx } },
    ];
    expect(new Set(changed.map(assignmentOf)).size).toBe(changed.length);
  });

  it('does not change with what no longer counts: former pins without a former count', () => {
    expect(assignmentOf(withShard({ previousPins: [], previousExclusive: [] }))).toBe(assignmentOf(fleet));
  });
});
