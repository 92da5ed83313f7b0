import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { exchangeNames, type Simulator } from '../exchanges/simulator.ts';
import {
  canonical,
  connectionsOf,
  countIn,
  marketConnections,
  reconnectsOf,
  type Simulators,
  startExchanges,
  violations,
} from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { scrape } from '../support/scrape.ts';
import { readRecords } from '../support/topic-records.ts';

const prefix = 'rejected.';
/** 12 symbols on 2 channels; one symbol is refused. */
const SUBSCRIPTIONS = 24;
const REFUSED = 2;

/** What each exchange says of a symbol that it refuses, with our code before its text where it has one. */
const TEXTS = {
  binance: (_topic: string) => '2: Invalid request: invalid stream',
  // One request had both.
  'bybit-spot': (topic: string) => {
    const symbol = topic.split('.').at(-1);
    return `Invalid symbol :[publicTrade.${symbol},orderbook.1.${symbol}]`;
  },
  okx: (topic: string) => {
    const [channel, instrument] = topic.split(':');
    return `60018: Wrong URL or channel:${channel},instId:${instrument} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`;
  },
  kraken: (topic: string) => `Currency pair not supported ${topic.split(':')[1]}`,
} as const;

let stack: Stack;
let simulators: Simulators;
let pod: Pod;

beforeAll(async () => {
  stack = await startStack();
  simulators = await startExchanges({ symbols: 12, rate: 400, tradeShare: 0.5 });
  for (const simulator of Object.values(simulators)) {
    simulator.fault({ kind: 'reject', symbols: [refused(simulator)] });
  }
  const options: PodOptions = {
    stack,
    simulators: Object.values(simulators),
    prefix,
    flags: ['--topics.partitions=3'],
  };
  await provision(options);
  pod = await startPod(options);
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
  await stack?.stop();
});

function refused(simulator: Simulator): string {
  return simulator.symbols[4]!;
}

/** Native names of the two topics that are refused. */
function topics(simulator: Simulator): readonly [trades: string, quotes: string] {
  const symbol = refused(simulator);
  switch (simulator.exchange) {
    case 'binance':
      return [`${symbol.toLowerCase()}@trade`, `${symbol.toLowerCase()}@bookTicker`];
    case 'bybit-spot':
      return [`publicTrade.${symbol}`, `orderbook.1.${symbol}`];
    case 'okx':
      return [`trades:${symbol}`, `bbo-tbt:${symbol}`];
    case 'kraken':
      return [`trade:${symbol}`, `ticker:${symbol}`];
  }
}

async function otherLive(reconnects: number): Promise<void> {
  await pod.until('all but the refused symbols are live', (status) =>
    exchangeNames.every(
      (exchange) =>
        countIn(status, exchange, 'live') === SUBSCRIPTIONS - REFUSED &&
        countIn(status, exchange, 'rejected') === REFUSED &&
        connectionsOf(status, exchange).every((each) => reconnectsOf(each) === reconnects),
    ),
  );
}

it('a symbol that an exchange refuses is told by name in its words, and touches no other', async () => {
  await otherLive(0);
  const status = await pod.status();
  expect(status.ready).toBe(true);
  const metric = await scrape(pod);
  for (const exchange of exchangeNames) {
    const simulator = simulators[exchange];
    const symbol = canonical(simulator, refused(simulator));
    const own = status.notLive
      .filter((each) => each.exchange === exchange)
      .map(({ channel, symbol, state, reason }) => ({ channel, symbol, state, reason }));
    const [trades, quotes] = topics(simulator);
    expect(own.toSorted((a, b) => b.channel.localeCompare(a.channel))).toEqual([
      { channel: 'trades', symbol, state: 'rejected', reason: TEXTS[exchange](trades) },
      { channel: 'quotes', symbol, state: 'rejected', reason: TEXTS[exchange](quotes) },
    ]);
    expect(metric('tickline_subscriptions', { exchange, state: 'rejected' })).toBe(REFUSED);
    expect(metric('ws_subscription_count', { exchange })).toBe(SUBSCRIPTIONS - REFUSED);
    expect(marketConnections(simulator)).toHaveLength(1);
  }

  // Asked for again in the next session, again in vain, and again without harm to the others.
  for (const simulator of Object.values(simulators)) {
    const before = simulator.stats().refusedSymbols.length;
    simulator.fault({ kind: 'drop', how: 'close', connection: marketConnections(simulator).at(-1)!.id });
    await pod.until(
      `${simulator.exchange} refuses again`,
      () => simulator.stats().refusedSymbols.length >= before + 2,
    );
  }
  await otherLive(1);

  // The exchange lists it again: the session after that has it.
  for (const simulator of Object.values(simulators)) {
    simulator.fault({ kind: 'reject', symbols: [refused(simulator)], on: false });
    simulator.fault({ kind: 'drop', how: 'close', connection: marketConnections(simulator).at(-1)!.id });
  }
  await pod.until('all is live', (now) =>
    exchangeNames.every((exchange) => countIn(now, exchange, 'live') === SUBSCRIPTIONS),
  );

  for (const simulator of Object.values(simulators)) simulator.stopMarket();
  expect(await pod.stop()).toBe(0);
  expect(violations(simulators)).toEqual([]);
  const channels = await readBack(stack, Object.values(simulators), prefix);
  expect(troublesOf(channels)).toEqual([]);
  expect(matchedIn(channels)).toBeGreaterThan(1_000);

  const records = await readRecords(stack, 'status', prefix);
  for (const exchange of exchangeNames) {
    const simulator = simulators[exchange];
    const [trades, quotes] = topics(simulator);
    const rejected = records
      .filter((record) => record.exchange === exchange && record.state === 'rejected')
      .map(({ symbol, exchangeSymbol, channel, reason }) => ({ symbol, exchangeSymbol, channel, reason }));
    const symbol = canonical(simulator, refused(simulator));
    const exchangeSymbol = refused(simulator);
    // Once each: a rejection that stays is no news.
    expect(rejected.toSorted((a, b) => b.channel.localeCompare(a.channel))).toEqual([
      { symbol, exchangeSymbol, channel: 'trades', reason: TEXTS[exchange](trades) },
      { symbol, exchangeSymbol, channel: 'quotes', reason: TEXTS[exchange](quotes) },
    ]);
  }
});
