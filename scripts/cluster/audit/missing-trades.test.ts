import { describe, expect, it } from 'vitest';
import { type GapRecord, inWords, type MadeTrade, missingRuns, tradeKey } from './missing-trades.ts';

const made = (symbol: string, ...ids: number[]): MadeTrade[] =>
  ids.map((id) => ({
    exchange: 'binance',
    exchangeSymbol: symbol,
    id: String(id),
    ids: 2,
    time: id * 1_000,
  }));
const read = (trades: readonly MadeTrade[]): Set<string> =>
  new Set(trades.map((each) => tradeKey(each, each.id)));
const always = [{ name: 'rollout', from: 0, to: Number.MAX_SAFE_INTEGER }];

describe('the trades that are missing', () => {
  it('are none when all were read, in any order, written once or twice', () => {
    const trades = [...made('A', 1, 2), ...made('B', 1, 2)];
    expect(
      missingRuns([...trades, ...made('A', 2, 3)], read([...trades, ...made('A', 3)]), always, []),
    ).toEqual([]);
  });

  it('are told in runs by symbol', () => {
    const trades = [...made('A', 1, 2, 3, 4, 5), ...made('B', 2, 3)];
    const runs = missingRuns(trades, read([...made('A', 1, 4), ...made('B', 2)]), always, []);
    expect(runs.map(inWords)).toEqual([
      'binance A 2 to 3, 2 trades in 0.00 s',
      'binance B 3, 1 trade',
      'binance A 5, 1 trade',
    ]);
  });

  it('do not count twice when they were written to two sockets', () => {
    const runs = missingRuns([...made('A', 1, 2), ...made('A', 2, 3)], read(made('A', 1)), always, []);
    expect(runs).toMatchObject([{ firstId: '2', lastId: '3', trades: 2, ids: 4 }]);
  });

  it('belong to the phase in which they were made; outside of all they are not asked for', () => {
    const phases = [
      { name: 'rollout', from: 2_000, to: 4_000 },
      { name: 'drain', from: 4_000, to: 6_000 },
    ];
    const runs = missingRuns(made('A', 1, 2, 3, 4, 5, 6), new Set(), phases, []);
    expect(runs).toMatchObject([
      { phase: 'rollout', firstId: '2', lastId: '3', from: 2_000, to: 3_000 },
      { phase: 'drain', firstId: '4', lastId: '5' },
    ]);
  });

  it('are named by gap records: by ids, or by times where ids prove nothing', () => {
    const gap = (more: Partial<GapRecord>): GapRecord => ({
      ...{
        exchange: 'binance',
        exchangeSymbol: 'A',
        firstId: null,
        lastId: null,
        firstTime: null,
        lastTime: null,
      },
      ...more,
    });
    const named = (...gaps: GapRecord[]): boolean[] =>
      missingRuns(made('A', 9, 10, 11), read(made('A', 9)), always, gaps).map((run) => run.named);
    expect(named(gap({ firstId: '10', lastId: '11' }))).toEqual([true]);
    expect(named(gap({ firstId: '10', lastId: '10' }))).toEqual([false]);
    expect(named(gap({ firstId: '10', lastId: '10' }), gap({ firstId: '11', lastId: '11' }))).toEqual([true]);
    expect(named(gap({ firstTime: 9_000, lastTime: 12_000 }))).toEqual([true]);
    expect(named(gap({ firstTime: 9_000, lastTime: 10_500 }))).toEqual([false]);
    expect(named(gap({ exchangeSymbol: 'B', firstId: '10', lastId: '11' }))).toEqual([false]);
  });
});
