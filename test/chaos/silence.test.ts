import type { PodStatus, Status } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { exchangeNames, type Simulator, type SimulatorOptions } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import {
  canonical,
  connectionsOf,
  countIn,
  forEachExchange,
  type Simulators,
  startExchanges,
  violations,
} from '../support/four-exchanges.ts';
import { gapIds, missingTradeIds } from '../support/lost-ticks.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { scrape } from '../support/scrape.ts';
import { readRecords } from '../support/topic-records.ts';
import { of } from '../support/topics-read.ts';

/** 8 symbols on 2 channels, on one connection. */
const SUBSCRIPTIONS = 16;

let stack: Stack;
const opened: Simulators[] = [];
const pods: Pod[] = [];
/** Begun first, looked at first and last: what is silent is asked for again only after half a minute. */
let acknowledgedButSilent: Promise<readonly [Simulators, Pod]>;

beforeAll(async () => {
  stack = await startStack();
  acknowledgedButSilent = begin(
    'ack.',
    ['dataSilenceMs.quotes=3000', 'dataSilenceMs.trades=3000'],
    {},
    (simulators) => {
      for (const simulator of Object.values(simulators)) {
        simulator.fault({ kind: 'ack-silent', symbols: [silentSymbol(simulator.symbols)] });
      }
    },
  );
  await acknowledgedButSilent;
});

afterAll(async () => {
  for (const pod of pods) pod.process.kill();
  for (const simulators of opened) {
    await Promise.all(Object.values(simulators).map((simulator) => simulator.close()));
  }
  await stack?.stop();
});

function silentSymbol(symbols: readonly string[]): string {
  return symbols[2]!;
}

async function begin(
  prefix: string,
  settings: readonly string[],
  options: Omit<SimulatorOptions, 'exchange'> = {},
  prepare: (simulators: Simulators) => void = () => undefined,
): Promise<readonly [Simulators, Pod]> {
  const simulators = await startExchanges({ symbols: 8, rate: 400, tradeShare: 0.5, ...options });
  opened.push(simulators);
  prepare(simulators);
  const podOptions: PodOptions = {
    stack,
    simulators: Object.values(simulators),
    prefix,
    flags: [
      '--topics.partitions=3',
      ...forEachExchange('heartbeat.checkEveryMs=250', 'backoff.firstMs=100', ...settings),
    ],
  };
  await provision(podOptions);
  const pod = await startPod(podOptions);
  pods.push(pod);
  return [simulators, pod];
}

function all(status: PodStatus, state: 'live' | 'stale' | 'acknowledged', count: number): boolean {
  return exchangeNames.every((exchange) => countIn(status, exchange, state) === count);
}

/** What became of each subscription, in order: `binance trades BTCUSDT` → acknowledged, live, … */
function stories(records: readonly Status[]): Map<string, string[]> {
  const told = new Map<string, string[]>();
  for (const { exchange, channel, exchangeSymbol, state } of records) {
    const name = `${exchange} ${channel} ${exchangeSymbol}`;
    told.set(name, [...(told.get(name) ?? []), state]);
  }
  return told;
}

/** Every subscription that was ever asked for: `trades BTCUSDT`, once for each time. */
function asks({ connections }: Simulator): string[] {
  return connections.flatMap(({ subscriptions }) =>
    subscriptions
      .filter(({ channel }) => channel !== null)
      .map(({ channel, exchangeSymbol }) => `${channel} ${exchangeSymbol}`),
  );
}

async function ended(simulators: Simulators, pod: Pod, prefix: string): Promise<Status[]> {
  for (const simulator of Object.values(simulators)) simulator.stopMarket();
  expect(await pod.stop()).toBe(0);
  expect(violations(simulators)).toEqual([]);
  return readRecords(stack, 'status', prefix);
}

describe('silence', () => {
  it('of what was acknowledged surfaces by name', async () => {
    const [simulators, pod] = await acknowledgedButSilent;
    const stale = await pod.until('both channels of one symbol are stale', (status) =>
      all(status, 'stale', 2),
    );
    const silent = exchangeNames.flatMap((exchange) => {
      const simulator = simulators[exchange];
      const symbol = canonical(simulator, silentSymbol(simulator.symbols));
      return ['quotes', 'trades'].map((channel) => `${exchange} ${channel} ${symbol} stale`);
    });
    expect(
      stale.notLive
        .map(({ exchange, channel, symbol, state }) => `${exchange} ${channel} ${symbol} ${state}`)
        .toSorted(),
    ).toEqual(silent.toSorted());
    for (const { reason } of stale.notLive) expect(reason).toMatch(/^acknowledged but silent for \d+ s$/);
    const metric = await scrape(pod);
    for (const exchange of exchangeNames) {
      expect(metric('tickline_subscriptions', { exchange, state: 'stale' })).toBe(2);
    }
    // From now on asking helps: the next time is half a minute away, and the last test looks for it.
    for (const simulator of Object.values(simulators)) simulator.fault({ kind: 'ack-silent', on: false });
  });

  it('of a socket on which pings are answered is no reason to reconnect, while nothing trades', async () => {
    const [simulators, pod] = await begin(
      'quiet.',
      ['heartbeat.timeoutMs=2000', 'heartbeat.pingAfterMs=400'],
      {
        start: 'manual',
      },
    );
    await pod.until('all is acknowledged', ({ ready }) => ready);
    const sent = () => Object.values(simulators).map((simulator) => simulator.stats().messagesReceived);
    const before = sent();
    // Four heartbeat timeouts' worth of pings, each answered.
    await eventually('20 pings', () => sent().every((count, at) => count >= before[at]! + 20));
    const status = await pod.status();
    expect(status.exchanges.map(({ reconnects }) => reconnects)).toEqual([0, 0, 0, 0]);
    expect(status.connections.map(({ state }) => state)).toEqual(['open', 'open', 'open', 'open']);
    // The quotes that followed the subscription were the only data; what never had any is acknowledged, not stale.
    expect(status.notLive.every(({ state }) => state === 'acknowledged')).toBe(true);
    expect(all(status, 'stale', 0)).toBe(true);
    const records = await ended(simulators, pod, 'quiet.');
    expect(new Set(records.map(({ state }) => state))).toEqual(new Set(['acknowledged', 'live']));
  });

  it('of one channel makes it stale and subscribed again, and the first tick makes it live', async () => {
    // Quotes may be silent for long here, so that the socket itself is not given up.
    const [simulators, pod] = await begin('channel.', [
      'dataSilenceMs.trades=2000',
      'dataSilenceMs.quotes=600000',
    ]);
    await pod.until('all is live', (status) => all(status, 'live', SUBSCRIPTIONS));
    const frames = () => Object.values(simulators).map((simulator) => simulator.stats().frames);
    const before = frames();
    await eventually('the usual rhythm is known', () =>
      frames().every((count, at) => count > before[at]! + 800),
    );
    for (const simulator of Object.values(simulators)) simulator.fault({ kind: 'silent' });
    const stale = await pod.until('all trades are stale', (status) =>
      all(status, 'stale', SUBSCRIPTIONS / 2),
    );
    expect(stale.notLive).toHaveLength(exchangeNames.length * (SUBSCRIPTIONS / 2));
    for (const { channel, state, reason } of stale.notLive) {
      expect({ channel, state, reason }).toEqual({
        channel: 'trades',
        state: 'stale',
        reason: expect.stringMatching(/^no data for \d+ s, usually every [\d.]+ s$/),
      });
    }
    const metric = await scrape(pod);
    for (const exchange of exchangeNames) {
      expect(metric('tickline_subscriptions', { exchange, state: 'stale' })).toBe(SUBSCRIPTIONS / 2);
      expect(metric('ws_subscription_count', { exchange })).toBe(SUBSCRIPTIONS);
    }
    const asked = () => Object.values(simulators).map(asks);
    await eventually('each is asked for again', () =>
      asked().every((times) => times.length === SUBSCRIPTIONS + SUBSCRIPTIONS / 2),
    );
    for (const simulator of Object.values(simulators)) simulator.fault({ kind: 'silent', on: false });
    const live = await pod.until('all is live again', (status) => all(status, 'live', SUBSCRIPTIONS));
    expect(live.notLive).toEqual([]);
    expect(live.exchanges.map(({ reconnects }) => reconnects)).toEqual([0, 0, 0, 0]);
    const records = await ended(simulators, pod, 'channel.');
    for (const [name, states] of stories(records.filter(({ state }) => state !== 'gap'))) {
      const expected = name.includes(' trades ') ? ['live', 'stale', 'live'] : ['live'];
      expect(
        states.filter((state) => state !== 'acknowledged'),
        name,
      ).toEqual(expected);
    }
    // Asked for again at once, each of them, without touching the others.
    for (const simulator of Object.values(simulators)) {
      const times = Map.groupBy(asks(simulator), (name) => name);
      expect(times.size).toBe(SUBSCRIPTIONS);
      for (const [name, each] of times) expect(each, name).toHaveLength(name.startsWith('trades') ? 2 : 1);
    }
  });

  it('of a whole connection that answers pings replaces it, and gap records name what was missed', async () => {
    const [simulators, pod] = await begin('dead.', [
      'dataSilenceMs.trades=1500',
      'dataSilenceMs.quotes=1500',
      'heartbeat.pingAfterMs=500',
    ]);
    await pod.until('all is live', (status) => all(status, 'live', SUBSCRIPTIONS));
    for (const simulator of Object.values(simulators)) {
      const open = simulator.connections.find(({ end }) => end === null)!;
      simulator.fault({ kind: 'silent', connection: open.id });
    }
    const live = await pod.until(
      'all is live on new connections',
      (status) =>
        all(status, 'live', SUBSCRIPTIONS) &&
        status.connections.every(({ reconnects }) => reconnects['data-silent'] === 1),
    );
    expect(exchangeNames.map((exchange) => connectionsOf(live, exchange)[0]!.reconnects)).toEqual(
      exchangeNames.map(() => ({ 'data-silent': 1 })),
    );
    const records = await ended(simulators, pod, 'dead.');
    for (const [name, states] of stories(records.filter(({ state }) => state !== 'gap'))) {
      expect(states.filter((state) => state !== 'acknowledged').slice(0, 3), name).toEqual([
        'live',
        'stale',
        'reconnected',
      ]);
    }
    const trades = await readRecords(stack, 'trades', 'dead.');
    for (const exchange of ['binance', 'okx', 'kraken'] as const) {
      const missing = missingTradeIds(simulators[exchange], of(trades, simulators[exchange]));
      expect(missing.size).toBeGreaterThan(100);
      expect(gapIds(of(records, simulators[exchange]))).toEqual(missing);
    }
  });

  it('of what was acknowledged ends: it is asked for again until it lives', async () => {
    const [simulators, pod] = await acknowledgedButSilent;
    const live = await pod.until('it lives', (status) => all(status, 'live', SUBSCRIPTIONS), 90_000);
    expect(live.exchanges.map(({ reconnects }) => reconnects)).toEqual([0, 0, 0, 0]);
    const records = await ended(simulators, pod, 'ack.');
    const told = stories(records);
    for (const exchange of exchangeNames) {
      const symbol = silentSymbol(simulators[exchange].symbols);
      for (const channel of ['trades', 'quotes']) {
        expect(told.get(`${exchange} ${channel} ${symbol}`)).toEqual(['acknowledged', 'stale', 'live']);
      }
    }
    const others = [...told].filter(([, states]) => !states.includes('stale'));
    expect(others).toHaveLength(exchangeNames.length * (SUBSCRIPTIONS - 2));
    expect(others.every(([, states]) => states.at(-1) === 'live')).toBe(true);
  });
});
