import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { limits as binanceLimits } from '../../services/ingestor/src/exchanges/binance/limits.ts';
import { limits as bybitLimits } from '../../services/ingestor/src/exchanges/bybit/limits.ts';
import { limits as okxLimits } from '../../services/ingestor/src/exchanges/okx/limits.ts';
import type { ExchangeName } from '../exchanges/ledger.ts';
import { exchangeNames } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import {
  connectionsOf,
  marketConnections,
  type Simulators,
  startExchanges,
  violations,
} from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { scrape } from '../support/scrape.ts';

const SYMBOLS = 1_250;
const SUBSCRIPTIONS = 2 * SYMBOLS;
/**
 * Kraken takes some 150 connection attempts of an address in 10 minutes. With our cautious defaults, 100 topics on a
 * connection and 5 attempts at once, then one in 6 s, its 25 connections take two minutes. A pod that owns so much of
 * Kraken is better set to 200 topics, which is still far below what a connection holds, and to 15 attempts at once: at
 * most 15 + 10 × 10 in 10 minutes.
 */
const KRAKEN_TOPICS = 200;
const KRAKEN_FLAGS = [
  `--exchanges.kraken.limits.topicsPerConnection=${KRAKEN_TOPICS}`,
  '--exchanges.kraken.limits.connectBurst=15',
];

let stack: Stack;
let simulators: Simulators;
let pod: Pod;

beforeAll(async () => {
  stack = await startStack();
  simulators = await startExchanges({ symbols: SYMBOLS, rate: 250 });
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** How many connections the limits ask for. */
function expectedConnections(exchange: ExchangeName): number {
  switch (exchange) {
    case 'binance':
      return Math.ceil(SUBSCRIPTIONS / binanceLimits.topicsPerConnection);
    case 'okx':
      return Math.ceil(SUBSCRIPTIONS / okxLimits.topicsPerConnection);
    case 'kraken':
      return Math.ceil(SUBSCRIPTIONS / KRAKEN_TOPICS);
    case 'bybit-spot': {
      // The length of the names counts: quotes and comma of each too.
      let connections = 1;
      let characters = 0;
      for (const name of names('bybit-spot')) {
        const own = name.length + 3;
        if (characters + own > bybitLimits.topicCharactersPerConnection) {
          connections++;
          characters = 0;
        }
        characters += own;
      }
      return connections;
    }
  }
}

/** Names of all subscriptions, in the order in which they were asked for. */
function names(exchange: ExchangeName): string[] {
  return marketConnections(simulators[exchange]).flatMap(({ subscriptions }) =>
    subscriptions.map(({ name }) => name),
  );
}

it('5,000 symbols, 10,000 subscriptions: within every limit, each acknowledged, and ready', async () => {
  const options: PodOptions = { stack, simulators: Object.values(simulators), flags: KRAKEN_FLAGS };
  for (const simulator of options.simulators) expect(simulator.symbols).toHaveLength(SYMBOLS);
  await provision(options);
  pod = await startPod(options);
  const status = await pod.until('the pod is ready', ({ ready }) => ready, 100_000);
  expect(status.notReady).toBeNull();
  expect(status.exchanges.map(({ exchange, owned }) => ({ exchange, owned }))).toEqual(
    exchangeNames.map((exchange) => ({ exchange, owned: SUBSCRIPTIONS })),
  );
  expect(status.notLive.every(({ state }) => state === 'acknowledged')).toBe(true);

  const metric = await scrape(pod);
  for (const exchange of exchangeNames) {
    const connections = marketConnections(simulators[exchange]);
    expect(connections.length, exchange).toBe(expectedConnections(exchange));
    expect(connectionsOf(status, exchange)).toHaveLength(connections.length);
    expect(new Set(names(exchange)).size).toBe(SUBSCRIPTIONS);
    expect(simulators[exchange].stats()).toMatchObject({
      acknowledgedSubscriptions: SUBSCRIPTIONS,
      refusedSymbols: [],
    });
    expect(metric('ws_subscription_count', { exchange })).toBe(SUBSCRIPTIONS);
    expect(metric('ws_active_connections', { exchange })).toBe(connections.length);
    expect(metric('ws_reconnects_total', { exchange })).toBe(0);
  }

  // Every one of them brings data: each symbol is drawn in turn now and then.
  for (const simulator of options.simulators) simulator.setRate(1_500);
  await eventually(
    'every subscription is live',
    async () => (await pod.status()).notLive.length === 0 || undefined,
    60_000,
  );
  expect((await pod.status()).exchanges.map(({ reconnects, invalid }) => [reconnects, invalid])).toEqual(
    exchangeNames.map(() => [0, 0]),
  );
  expect(violations(simulators)).toEqual([]);
  for (const simulator of options.simulators) simulator.stopMarket();
  expect(await pod.stop()).toBe(0);
});
