import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { type Simulator, startSimulator } from '../exchanges/simulator.ts';
import { connectionsOf, countIn, marketConnections } from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { scrape } from '../support/scrape.ts';

/** The figures that people quote for a connection; the symbols fill the connections to the last topic. */
const ROUND = [
  { exchange: 'binance', topics: 1024, symbols: 1024, connections: 2 },
  { exchange: 'bybit-spot', topics: 10, symbols: 100, connections: 20 },
  { exchange: 'okx', topics: 240, symbols: 240, connections: 2 },
] as const;

let stack: Stack;
let simulators: Simulator[] = [];
let pod: Pod;

beforeAll(async () => {
  stack = await startStack();
  simulators = await Promise.all(
    ROUND.map(({ exchange, topics, symbols }) =>
      // One topic more and the simulator closes the connection.
      startSimulator({ exchange, symbols, rate: 2 * symbols, limits: { streamsPerConnection: topics } }),
    ),
  );
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
  await stack?.stop();
});

it('with the round figures that people quote, every connection is full, none too full, and all is live', async () => {
  const options: PodOptions = {
    stack,
    simulators,
    flags: [
      '--topics.partitions=3',
      ...ROUND.map(({ exchange, topics }) => `--exchanges.${exchange}.limits.topicsPerConnection=${topics}`),
    ],
  };
  await provision(options);
  pod = await startPod(options);
  await pod.until('the pod is ready', ({ ready }) => ready);
  for (const simulator of simulators) simulator.setRate(2_000);
  const status = await pod.until('every subscription is live', ({ notLive }) => notLive.length === 0);

  const metric = await scrape(pod);
  for (const [at, { exchange, topics, symbols, connections }] of ROUND.entries()) {
    const opened = marketConnections(simulators[at]!);
    expect(opened.map(({ subscriptions }) => subscriptions.length)).toEqual(
      Array.from({ length: connections }, () => topics),
    );
    expect(opened.every(({ end }) => end === null)).toBe(true);
    expect(connectionsOf(status, exchange)).toHaveLength(connections);
    expect(countIn(status, exchange, 'live')).toBe(2 * symbols);
    expect(metric('ws_active_connections', { exchange })).toBe(connections);
    expect(metric('ws_subscription_count', { exchange })).toBe(2 * symbols);
    expect(metric('ws_reconnects_total', { exchange })).toBe(0);
  }

  for (const simulator of simulators) simulator.stopMarket();
  expect(await pod.stop()).toBe(0);
  expect(simulators.flatMap(({ violations }) => violations)).toEqual([]);
  const channels = await readBack(stack, simulators, 'md.');
  expect(troublesOf(channels)).toEqual([]);
  expect(matchedIn(channels)).toBeGreaterThan(ROUND.reduce((sum, { symbols }) => sum + 2 * symbols, 0));
});
