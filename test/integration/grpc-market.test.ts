import type { Quote, Status, Trade } from '@tickline/schemas';
import { MarketDataClient, type TickEvent } from '@tickline/schemas/grpc';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { againstLedger } from '../support/against-ledger.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { startMarkets, startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';

/** Nobody listens there: these pods have no Kafka. */
const noStack = { brokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' } as unknown as Stack;

let simulators: Simulator[] = [];
let pods: Pod[] = [];
let client: MarketDataClient | undefined;
const events: TickEvent[] = [];

beforeAll(async () => {
  simulators = await startSimulators({ symbols: 30, rate: 4_000, tradeShare: 0.5, start: 'manual' });
  const ports = await Promise.all([freePort(), freePort()]);
  pods = await Promise.all(
    ports.map((port, index) =>
      startPod({
        stack: noStack,
        simulators,
        shard: { index, count: 2 },
        flags: [
          '--kafka.enabled=false',
          '--grpc.enabled=true',
          `--grpc.port=${port}`,
          `--grpc.peerAddress=${ports.map((each) => `127.0.0.1:${each}`).join(',')}`,
        ],
      }),
    ),
  );
  client = new MarketDataClient({ addresses: [`127.0.0.1:${ports[0]}`] });
  const subscription = client.subscribe({
    symbols: ['*'],
    channels: ['trades', 'quotes'],
    // The snapshots that exchanges begin with may be there before the client.
    lastValueFirst: true,
  });
  void (async () => {
    for await (const batch of subscription.batches()) events.push(...batch);
  })();
  for (const pod of pods) await pod.until('all subscriptions are settled', ({ ready }) => ready);
  await eventually('both pods have the client', () => liveConnections() === 2 || undefined);
});

afterAll(async () => {
  client?.close();
  for (const pod of pods) pod.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
});

function liveConnections(): number {
  return events.filter((event) => event.kind === 'connection' && event.state === 'live').length;
}

function recordsOf(kind: 'trade' | 'quote'): (Trade | Quote)[] {
  return events.flatMap((event) => (event.kind === kind ? [event.record as Trade | Quote] : []));
}

it('a market of four exchanges over two pods comes to one client whole, in order, digit for digit', async () => {
  startMarkets(simulators);
  await eventually('8,000 ticks', () => ticksWritten(simulators) >= 8_000 || undefined);
  stopMarkets(simulators);
  const written = ticksWritten(simulators);
  await eventually('all have come', () =>
    recordsOf('trade').length + recordsOf('quote').length >= written ? true : undefined,
  );
  for (const { exchange, ledger } of simulators) {
    for (const [kind, channel] of [
      ['trade', 'trades'],
      ['quote', 'quotes'],
    ] as const) {
      const entries = [...ledger.entries()].filter((each) => each.channel === channel);
      const own = recordsOf(kind).filter((record) => record.exchange === exchange);
      expect(againstLedger(entries, own)).toMatchObject({
        missing: [],
        duplicates: [],
        unknown: [],
        differing: [],
        outOfOrder: [],
        matched: entries.length,
      });
    }
  }
  expect(events.filter(({ kind }) => kind === 'gap')).toEqual([]);
});

it('a broken exchange connection is told in the stream', async () => {
  const before = events.length;
  const [simulator] = simulators;
  expect(simulator!.fault({ kind: 'drop' })).toBeGreaterThan(0);
  startMarkets(simulators);
  const told = await eventually('a status record', () => {
    const found = events
      .slice(before)
      .find((event) => event.kind === 'status' && event.record.state === 'reconnected');
    return found?.kind === 'status' ? (found.record as Status) : undefined;
  });
  stopMarkets(simulators);
  expect(told.exchange).toBe(simulator!.exchange);
});

it('a pod that is stopped ends cleanly with a client connected, and tells it', async () => {
  expect(await pods[1]!.stop()).toBe(0);
  await eventually('it is told', () => {
    const lost = events.find((event) => event.kind === 'connection' && event.state === 'lost');
    return lost?.kind === 'connection' && lost.reason.includes('the pod is going') ? true : undefined;
  });
});
