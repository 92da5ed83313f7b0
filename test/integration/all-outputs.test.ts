import { type Quote, TICK_CHANNELS, type TickChannel, type Trade } from '@tickline/schemas';
import { MarketDataClient, type TickEvent } from '@tickline/schemas/grpc';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { freePort } from '../../scripts/stack/free-port.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { startMarkets, startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const TICKS = 6_000;

let stack: Stack;
let redis: RedisServer;
let streams: Redis;
let simulators: Simulator[] = [];
let client: MarketDataClient | undefined;
let pod: Pod | undefined;
const events: TickEvent[] = [];

beforeAll(async () => {
  [stack, redis] = await Promise.all([startStack(), startRedis()]);
  streams = new Redis(redis.port, '127.0.0.1');
  simulators = await startSimulators({ symbols: 12, rate: 2_000, tradeShare: 0.5, start: 'manual' });
  const port = await freePort();
  const options: PodOptions = {
    stack,
    simulators,
    flags: [
      `--redis.addresses=${redis.address}`,
      '--redis.streams.enabled=true',
      '--redis.pubsub.enabled=true',
      '--grpc.enabled=true',
      `--grpc.port=${port}`,
    ],
  };
  await provision(options);
  pod = await startPod(options);
  client = new MarketDataClient({ addresses: [`127.0.0.1:${port}`] });
  // The snapshots that exchanges begin with may be there before the client.
  const subscription = client.subscribe({
    symbols: ['*'],
    channels: [...TICK_CHANNELS],
    lastValueFirst: true,
  });
  void (async () => {
    for await (const batch of subscription.batches()) events.push(...batch);
  })();
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  await eventually('the pod has the client', () =>
    events.some((event) => event.kind === 'connection' && event.state === 'live'),
  );
});

afterAll(async () => {
  client?.close();
  pod?.process.kill();
  streams?.disconnect();
  await Promise.all(simulators.map((simulator) => simulator.close()));
  await redis?.remove();
  await stack?.stop();
});

/** Ticks by who, what and which: the same tick has the same name in every output. */
function named(channel: TickChannel, records: readonly (Trade | Quote)[]): Map<string, Trade | Quote> {
  return new Map(
    records.map((record) => [`${channel} ${record.exchange} ${record.symbol} ${record.sequence}`, record]),
  );
}

async function inStreams(channel: TickChannel): Promise<(Trade | Quote)[]> {
  const keys = await streams.keys(`md:${channel}:*`);
  const entries = await Promise.all(keys.map((key) => streams.xrange(key, '-', '+')));
  return entries.flat().map(([, fields]) => JSON.parse(fields[fields.indexOf('v') + 1]!) as Trade | Quote);
}

function inGrpc(channel: TickChannel): (Trade | Quote)[] {
  return events.flatMap((event) =>
    (event.kind === 'trade' || event.kind === 'quote') && event.channel === channel ? [event.record] : [],
  );
}

it('one market through Kafka, Redis Streams and gRPC at once is the same ticks, digit for digit', async () => {
  startMarkets(simulators);
  await eventually('enough ticks', () => ticksWritten(simulators) >= TICKS || undefined);
  stopMarkets(simulators);
  const written = ticksWritten(simulators);
  await eventually('gRPC has brought them', () =>
    inGrpc('trades').length + inGrpc('quotes').length >= written ? true : undefined,
  );
  expect(await pod!.stop()).toBe(0);

  let ticks = 0;
  for (const channel of TICK_CHANNELS) {
    const kafka = named(channel, await readRecords(stack, channel));
    expect(named(channel, await inStreams(channel))).toEqual(kafka);
    expect(named(channel, inGrpc(channel))).toEqual(kafka);
    ticks += kafka.size;
  }
  expect(ticks).toBe(written);
  expect(events.filter(({ kind }) => kind === 'gap')).toEqual([]);
});
