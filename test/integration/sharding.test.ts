import type { Quote, Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { LedgerEntry } from '../exchanges/ledger.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import {
  startMarkets,
  startSimulators,
  stopMarkets,
  ticksWritten,
  violationsOf,
} from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const TICKS = 12_000;

let stack: Stack;
let simulators: Simulator[];
const pods: Pod[] = [];

beforeAll(async () => {
  stack = await startStack();
  simulators = await startSimulators({ symbols: 40, rate: 6_000, tradeShare: 0.5, start: 'manual' });
});

afterAll(async () => {
  for (const pod of pods) pod.process.kill();
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** What a fleet of pods did with a stretch of the markets. */
interface Run {
  /** Subscriptions that each pod owned, by shard. */
  readonly owned: readonly number[];
  /** `exchange:symbol` → the shards whose pods wrote its ticks, by channel. */
  readonly writers: Readonly<Record<'trades' | 'quotes', ReadonlyMap<string, ReadonlySet<number>>>>;
  readonly trades: readonly Trade[];
  readonly quotes: readonly Quote[];
  /** What was written to all of them meanwhile. */
  readonly entries: readonly LedgerEntry[];
}

/** Runs a pod for each shard over some thousand ticks, into topics of its own. */
async function runFleet(prefix: string, count: number, flags: readonly string[] = []): Promise<Run> {
  const options = { stack, simulators, prefix, flags };
  await provision(options);
  const fleet = await Promise.all(
    Array.from({ length: count }, (_, index) => startPod({ ...options, shard: { index, count } })),
  );
  pods.push(...fleet);
  for (const pod of fleet) await pod.until('all subscriptions are settled', ({ ready }) => ready);
  const since = simulators.map(({ ledger }) => ledger.size);
  const goal = ticksWritten(simulators) + TICKS;
  startMarkets(simulators);
  await eventually(`${TICKS} ticks`, () => ticksWritten(simulators) >= goal);
  stopMarkets(simulators);
  const states = await Promise.all(fleet.map((pod) => pod.status()));
  for (const pod of fleet) expect(await pod.stop()).toBe(0);

  const shards = new Map(states.map(({ producer, shard }) => [producer, shard.index]));
  const trades = await readRecords(stack, 'trades', prefix);
  const quotes = await readRecords(stack, 'quotes', prefix);
  const writersOf = (records: readonly (Trade | Quote)[]) => {
    const writers = new Map<string, Set<number>>();
    for (const { exchange, symbol, producer } of records) {
      const unit = `${exchange}:${symbol}`;
      writers.set(unit, (writers.get(unit) ?? new Set()).add(shards.get(producer)!));
    }
    return writers;
  };
  return {
    owned: states.map(({ exchanges }) => exchanges.reduce((sum, { owned }) => sum + owned, 0)),
    writers: { trades: writersOf(trades), quotes: writersOf(quotes) },
    trades,
    quotes,
    entries: simulators.flatMap(({ ledger }, at) => [...ledger.entries(since[at])]),
  };
}

/** All units that the exchanges trade. */
function allUnits(): string[] {
  return simulators
    .flatMap(({ exchange, instruments }) =>
      instruments.filter(({ trading }) => trading).map(({ base, quote }) => `${exchange}:${base}-${quote}`),
    )
    .sort();
}

/** How often each tick was written, or is in a topic. */
function copies(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

const writtenTrades = (entries: readonly LedgerEntry[]): string[] =>
  entries
    .filter(({ channel }) => channel === 'trades')
    .map(({ exchange, exchangeSymbol, id }) => `${exchange} ${exchangeSymbol} ${id}`);

const readTrades = (trades: readonly Trade[]): string[] =>
  trades.map(({ exchange, exchangeSymbol, tradeId }) => `${exchange} ${exchangeSymbol} ${tradeId}`);

describe('two pods, then three', () => {
  let two: Run;
  let three: Run;
  let expanding: Run;

  beforeAll(async () => {
    two = await runFleet('two.', 2);
    expanding = await runFleet('expanding.', 3, ['--shard.previousCount=2']);
    three = await runFleet('three.', 3);
  });

  it('own disjoint parts that make up the whole, quotes beside the trades of a symbol', () => {
    for (const { owned, writers, trades, entries } of [two, three]) {
      expect([...writers.trades.keys()].sort()).toEqual(allUnits());
      expect(writers.quotes).toEqual(writers.trades);
      expect([...writers.trades.values()].every((shards) => shards.size === 1)).toBe(true);
      expect(owned.reduce((sum, each) => sum + each)).toBe(2 * allUnits().length);
      expect(owned).toEqual(
        owned.map((_, shard) => 2 * [...writers.trades.values()].filter((each) => each.has(shard)).length),
      );
      expect(Math.min(...owned)).toBeGreaterThan(0);
      // Every trade was written by us as often as it was written to us: once.
      expect(copies(readTrades(trades))).toEqual(copies(writtenTrades(entries)));
      expect(new Set(readTrades(trades)).size).toBe(trades.length);
    }
  });

  it('move about a third of the symbols, all of them to the new pod', () => {
    const ownerIn = ({ writers }: Run, unit: string) => [...writers.trades.get(unit)!][0];
    const moved = allUnits().filter((unit) => ownerIn(two, unit) !== ownerIn(three, unit));
    expect(moved.map((unit) => ownerIn(three, unit))).toEqual(moved.map(() => 2));
    expect(moved.length).toBe(three.owned[2]! / 2);
    expect(moved.length / allUnits().length).toBeGreaterThan(0.2);
    expect(moved.length / allUnits().length).toBeLessThan(0.5);
  });

  it('while they change, own what they owned and what they will own', () => {
    for (const unit of allUnits()) {
      const both = new Set([...two.writers.trades.get(unit)!, ...three.writers.trades.get(unit)!]);
      expect(expanding.writers.trades.get(unit), unit).toEqual(both);
      expect(expanding.writers.quotes.get(unit), unit).toEqual(both);
    }
  });

  it('write what two of them own twice, recognisable by the trade id', () => {
    const { trades, entries } = expanding;
    expect(copies(readTrades(trades))).toEqual(copies(writtenTrades(entries)));
    const byId = Map.groupBy(trades, (trade) => readTrades([trade])[0]);
    expect(new Set([...byId.values()].map(({ length }) => length))).toEqual(new Set([1, 2]));
    for (const [one, other] of byId.values()) {
      if (other === undefined) continue;
      expect(other.producer).not.toBe(one!.producer);
      const { producer, session, receiveTime, sequence, ...tick } = other;
      expect(one).toMatchObject(tick);
    }
  });

  it('broke no limit of the exchanges together', () => {
    expect(violationsOf(simulators)).toEqual([]);
  });
});
