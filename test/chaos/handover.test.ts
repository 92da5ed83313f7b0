import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { ConnectionRecord } from '../exchanges/connection.ts';
import { exchangeNames, type Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import {
  connectionsOf,
  countIn,
  forEachExchange,
  marketConnections,
  type Simulators,
  startExchanges,
  violations,
} from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { readRecords } from '../support/topic-records.ts';

/** 8 symbols on 2 channels, on one connection. */
const SUBSCRIPTIONS = 16;

let stack: Stack;
let simulators: Simulators | undefined;
let pod: Pod | undefined;

beforeAll(async () => {
  stack = await startStack();
});

afterEach(async () => {
  pod?.process.kill();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
});

afterAll(async () => {
  await stack?.stop();
});

/** A pod on all four exchanges under load, every subscription live. */
async function underLoad(prefix: string, flags: readonly string[]): Promise<[Simulators, Pod]> {
  simulators = await startExchanges({ symbols: 8, rate: 500, tradeShare: 0.5 });
  const options: PodOptions = {
    stack,
    simulators: Object.values(simulators),
    prefix,
    flags: ['--topics.partitions=3', ...flags],
  };
  await provision(options);
  const running = await startPod(options);
  pod = running;
  for (const exchange of exchangeNames) {
    await running.until(
      `${exchange} is live`,
      (status) => countIn(status, exchange, 'live') === SUBSCRIPTIONS,
    );
  }
  return [simulators, running];
}

/** Stops markets and pod, and looks for what is missing, doubled, or reported although nothing was lost. */
async function flawless(exchanges: Simulators, running: Pod, prefix: string): Promise<void> {
  for (const simulator of Object.values(exchanges)) simulator.stopMarket();
  expect(await running.stop()).toBe(0);
  const channels = await readBack(stack, Object.values(exchanges), prefix);
  expect(troublesOf(channels)).toEqual([]);
  expect(matchedIn(channels)).toBeGreaterThan(5_000);
  const states = new Set((await readRecords(stack, 'status', prefix)).map(({ state }) => state));
  expect([...states].toSorted()).toEqual(['acknowledged', 'live']);
  expect(violations(exchanges)).toEqual([]);
}

/** Every subscription of the old connection ended after the new one had brought its first data. */
function madeBeforeBroken(simulator: Simulator, from: ConnectionRecord, to: ConnectionRecord): void {
  expect(from.end).toBe('client-closed');
  const firstData = new Map<string, number>();
  for (const { connection, channel, exchangeSymbol, writeTime } of simulator.ledger.entries()) {
    const stream = `${channel} ${exchangeSymbol}`;
    if (connection === to.id && !firstData.has(stream)) firstData.set(stream, writeTime);
  }
  expect(from.subscriptions).toHaveLength(SUBSCRIPTIONS);
  for (const { name, channel, exchangeSymbol, endedAt } of from.subscriptions) {
    const stream = `${channel} ${exchangeSymbol}`;
    const replacement = to.subscriptions.find((each) => each.name === name);
    expect(replacement!.acknowledgedAt, stream).toBeLessThan(endedAt!);
    expect(firstData.get(stream), stream).toBeLessThan(endedAt!);
  }
}

describe('a planned change of connections', () => {
  it('on notice of the exchange: nothing missing, nothing twice, no gap', async () => {
    const prefix = 'notice.';
    const [exchanges, running] = await underLoad(prefix, []);
    for (const exchange of ['binance', 'okx'] as const) {
      const simulator = exchanges[exchange];
      simulator.fault({ kind: 'notice', closeAfterMs: 30_000 });
      await running.until(`${exchange} goes on with a new connection`, (status) =>
        connectionsOf(status, exchange).every(({ reconnects }) => reconnects.shutdown === 1),
      );
      await eventually('the old one is closed', () => simulator.stats().connections.open === 1);
      const { frames } = simulator.stats();
      await eventually('data flows on', () => simulator.stats().frames > frames + 500);
    }
    const reconnects = (await running.status()).connections.map((each) => each.reconnects);
    expect(reconnects).toEqual([{ shutdown: 1 }, {}, { shutdown: 1 }, {}]);
    await flawless(exchanges, running, prefix);
    for (const exchange of ['binance', 'okx'] as const) {
      const [from, to, ...more] = marketConnections(exchanges[exchange]);
      expect(more).toEqual([]);
      madeBeforeBroken(exchanges[exchange], from!, to!);
    }
  });

  it('at the end of their planned life, again and again: nothing missing, nothing twice, no gap', async () => {
    const prefix = 'rotation.';
    const [exchanges, running] = await underLoad(prefix, [
      ...forEachExchange('limits.sessionLifetimeMs=5000'),
      // One connection in 5 seconds each.
      '--exchanges.kraken.limits.connectsPerMinute=15',
    ]);
    await running.until('every connection was replaced three times', (status) =>
      status.connections.every(({ reconnects }) => (reconnects.lifetime ?? 0) >= 3),
    );
    const { connections } = await running.status();
    expect(connections.map(({ reconnects }) => Object.keys(reconnects))).toEqual(
      exchangeNames.map(() => ['lifetime']),
    );
    await flawless(exchanges, running, prefix);
    for (const exchange of exchangeNames) {
      const lives = marketConnections(exchanges[exchange]);
      expect(lives.length).toBeGreaterThanOrEqual(4);
      for (const [at, to] of lives.slice(0, 4).entries()) {
        if (at > 0) madeBeforeBroken(exchanges[exchange], lives[at - 1]!, to);
      }
    }
  });
});
