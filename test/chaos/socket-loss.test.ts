import type { PodStatus, Quote, Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { ExchangeName, LedgerEntry } from '../exchanges/ledger.ts';
import { exchangeNames, type Simulator } from '../exchanges/simulator.ts';
import { againstLedger } from '../support/against-ledger.ts';
import { eventually } from '../support/eventually.ts';
import {
  connectionsOf,
  countIn,
  forEachExchange,
  marketConnections,
  reconnectsOf,
  type Simulators,
  startExchanges,
} from '../support/four-exchanges.ts';
import { gapIds, gaps, gapsByRecords, missingTradeIds } from '../support/lost-ticks.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { of, type ReadBack, readBack, written } from '../support/topics-read.ts';

const prefix = 'loss.';
const kinds = ['reset', 'end', 'half-open'] as const;

/** A connection that a fault was fired on, by the simulator's name for it. */
interface Cut {
  readonly kind: (typeof kinds)[number];
  readonly connection: string;
}

let stack: Stack;
let simulators: Simulators;
let pod: Pod;
let before: PodStatus;
let read: ReadBack;
const cuts: Record<ExchangeName, Cut[]> = { binance: [], 'bybit-spot': [], okx: [], kraken: [] };

/** 8 symbols on 2 channels. */
const SUBSCRIPTIONS = 16;

/** The open connection that carries the most popular symbol's trades. */
function busiest(simulator: Simulator): string {
  const carries = simulator.connections.filter(
    ({ end, subscriptions }) =>
      end === null &&
      subscriptions.some((each) => each.channel === 'trades' && each.exchangeSymbol === simulator.symbols[0]),
  );
  expect(carries).toHaveLength(1);
  return carries[0]!.id;
}

async function allLive(exchange: ExchangeName, reconnects: number): Promise<void> {
  await pod.until(`${exchange} is live after ${reconnects} reconnects`, (status) => {
    const done = connectionsOf(status, exchange).reduce((sum, each) => sum + reconnectsOf(each), 0);
    return done === reconnects && countIn(status, exchange, 'live') === SUBSCRIPTIONS;
  });
}

async function cutOnce(simulator: Simulator, kind: Cut['kind']): Promise<void> {
  const { exchange } = simulator;
  const connection = busiest(simulator);
  cuts[exchange].push({ kind, connection });
  simulator.fault(kind === 'half-open' ? { kind, connection } : { kind: 'drop', how: kind, connection });
  await allLive(exchange, cuts[exchange].length);
  // Every subscription has had data in its new session; then the flow goes on for a while.
  const { frames } = simulator.stats();
  await eventually('data flows on', () => simulator.stats().frames > frames + 200);
}

beforeAll(async () => {
  stack = await startStack();
  simulators = await startExchanges({ symbols: 8, rate: 500, tradeShare: 0.5 });
  const options = {
    stack,
    simulators: Object.values(simulators),
    prefix,
    flags: [
      '--topics.partitions=3',
      ...forEachExchange(
        // Two connections each.
        'limits.topicsPerConnection=8',
        'heartbeat.timeoutMs=3000',
        'heartbeat.checkEveryMs=250',
        'heartbeat.pingAfterMs=1000',
        'backoff.firstMs=100',
      ),
    ],
  };
  await provision(options);
  pod = await startPod(options);
  for (const exchange of exchangeNames) await allLive(exchange, 0);
  for (const exchange of exchangeNames) {
    for (const kind of kinds) await cutOnce(simulators[exchange], kind);
  }
  for (const simulator of Object.values(simulators)) simulator.stopMarket();
  before = await pod.status();
  expect(await pod.stop()).toBe(0);
  read = await readBack(stack, prefix);
});

afterAll(async () => {
  await pod?.stop();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
  await stack?.stop();
});

describe.each(exchangeNames)('a lost socket of %s', (exchange) => {
  const counting = exchange !== 'bybit-spot';
  const trades = () => of(read.trades, simulators[exchange]);
  const quotes = () => of(read.quotes, simulators[exchange]);
  const status = () => of(read.status, simulators[exchange]);

  it('is replaced, alone of all connections', () => {
    const simulator = simulators[exchange];
    expect(marketConnections(simulator)).toHaveLength(2 + kinds.length);
    expect(simulator.violations).toEqual([]);
    const [cut, other] = connectionsOf(before, exchange).toSorted(
      (a, b) => reconnectsOf(b) - reconnectsOf(a),
    );
    // A reset and a FIN alike end without a closing frame.
    expect(cut!.reconnects).toEqual({ 'closed-1006': 2, silent: 1 });
    expect(other!.reconnects).toEqual({});
  });

  it('has each of its subscriptions reported as reconnected, and no other', () => {
    const simulator = simulators[exchange];
    const expected = cuts[exchange].flatMap(({ connection }) =>
      simulator.connections
        .find(({ id }) => id === connection)!
        .subscriptions.map((each) => `${each.channel} ${each.exchangeSymbol}`),
    );
    expect(expected).toHaveLength(kinds.length * 8);
    const reported = status()
      .filter(({ state }) => state === 'reconnected')
      .map((record) => `${record.channel} ${record.exchangeSymbol}`);
    expect(reported.toSorted()).toEqual(expected.toSorted());
  });

  it('repeats nothing, changes nothing, and keeps the order', () => {
    const simulator = simulators[exchange];
    for (const comparison of [
      againstLedger(written(simulator, 'trades'), trades()),
      againstLedger(written(simulator, 'quotes'), quotes()),
    ]) {
      expect(comparison).toMatchObject({ duplicates: [], unknown: [], differing: [], outOfOrder: [] });
      expect(comparison.matched).toBeGreaterThan(1000);
    }
  });

  it('loses nothing that was written to a connection but the end of what a reset threw away', () => {
    const simulator = simulators[exchange];
    const missing = new Set<number>();
    const channels: [readonly LedgerEntry[], readonly (Trade | Quote)[]][] = [
      [written(simulator, 'trades'), trades()],
      [written(simulator, 'quotes'), quotes()],
    ];
    for (const [entries, records] of channels) {
      for (const { index } of againstLedger(entries, records).missing) missing.add(index);
    }
    const reset = cuts[exchange].find(({ kind }) => kind === 'reset')!.connection;
    const onReset = [...simulator.ledger.entries()].filter(({ connection }) => connection === reset);
    const lost = onReset.filter(({ index }) => missing.has(index));
    expect([...missing].toSorted((a, b) => a - b)).toEqual(lost.map(({ index }) => index));
    // A socket's bytes arrive in order: what did not is what was written last.
    expect(lost).toEqual(onReset.slice(onReset.length - lost.length));
    expect(onReset.length).toBeGreaterThan(lost.length);
  });

  it('has exactly what is missing in gap records', () => {
    const simulator = simulators[exchange];
    expect(gaps(status())).toEqual(
      [...gapsByRecords(trades(), counting), ...gapsByRecords(quotes(), false)].toSorted(),
    );
    const missing = missingTradeIds(simulator, trades());
    expect(missing.size).toBeGreaterThan(0);
    if (counting) {
      expect(gapIds(status())).toEqual(missing);
      return;
    }
    // Ids prove nothing here: each missing trade was made between the two that a gap record's times point at.
    const spans = status()
      .filter(({ state, channel }) => state === 'gap' && channel === 'trades')
      .map(({ exchangeSymbol, firstTime, lastTime }) => ({ exchangeSymbol, firstTime, lastTime }));
    const made = [...simulator.ledger.entries(), ...simulator.unheard.entries()].filter(
      (entry) => entry.channel === 'trades',
    );
    const writeTimes = new Map(made.map((entry) => [`${entry.exchangeSymbol} ${entry.id}`, entry.writeTime]));
    const bounds = spans.map(({ exchangeSymbol, firstTime, lastTime }) => {
      const writeTimeAt = (pick: 'first' | 'last', receiveTime: number | null) => {
        const at = trades().filter(
          (trade) => trade.exchangeSymbol === exchangeSymbol && trade.receiveTime === receiveTime,
        );
        // Several trades of one chunk share its time: the last before the gap, the first after it.
        const ids = at.toSorted((a, b) => a.sequence - b.sequence);
        return writeTimes.get(`${exchangeSymbol} ${(pick === 'last' ? ids.at(-1) : ids[0])?.tradeId}`)!;
      };
      return { exchangeSymbol, from: writeTimeAt('last', firstTime), to: writeTimeAt('first', lastTime) };
    });
    const uncovered = [...missing].filter((trade) => {
      const [symbol] = trade.split(' ');
      const at = writeTimes.get(trade)!;
      return (
        bounds.filter((span) => span.exchangeSymbol === symbol && span.from <= at && at <= span.to).length !==
        1
      );
    });
    expect(uncovered).toEqual([]);
  });

  it('is counted in the metric of reconnects', () => {
    expect(before.exchanges.find((each) => each.exchange === exchange)).toMatchObject({
      reconnects: kinds.length,
    });
  });
});
