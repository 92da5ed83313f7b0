import { type Quote, type Status, TICK_CHANNELS, type Trade, topicName } from '@tickline/schemas';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords, readTopic } from '../support/topic-records.ts';

const TICKS = 5_000;

let stack: Stack;
let redis: RedisServer;
let client: Redis;
let simulators: Simulator[] = [];
let pod: Pod | undefined;

beforeAll(async () => {
  [stack, redis] = await Promise.all([startStack(), startRedis()]);
  client = new Redis(redis.port, '127.0.0.1');
});

afterEach(async () => {
  pod?.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
});

afterAll(async () => {
  client?.disconnect();
  await redis?.remove();
  await stack?.stop();
});

/** One simulated market through Kafka and both Redis sinks; resolves when it is over, with what was published. */
async function play(prefix: string, format: 'json' | 'avro'): Promise<Buffer[]> {
  await client.flushall();
  const published: Buffer[] = [];
  const subscriber = new Redis(redis.port, '127.0.0.1');
  subscriber.on('pmessageBuffer', (_pattern: string, _channel: Buffer, message: Buffer) =>
    published.push(message),
  );
  await subscriber.psubscribe('md:trades:*', 'md:quotes:*');
  simulators = await startSimulators({ symbols: 10, rate: 2_000 });
  const options: PodOptions = {
    stack,
    simulators,
    prefix,
    flags: [
      `--redis.addresses=${redis.address}`,
      '--redis.streams.enabled=true',
      `--redis.streams.format=${format}`,
      '--redis.streams.key=md:{topic}:{exchange}:{symbol}',
      '--redis.pubsub.enabled=true',
      `--redis.pubsub.format=${format}`,
    ],
  };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  await eventually('enough ticks', () => ticksWritten(simulators) >= TICKS);
  stopMarkets(simulators);
  expect(await pod.stop()).toBe(0);
  const channels = await readBack(stack, simulators, prefix);
  expect(troublesOf(channels)).toEqual([]);
  await eventually('all was heard', () => published.length >= matchedIn(channels));
  subscriber.disconnect();
  return published;
}

/** The ticks of a topic in Redis, by key: all values of each stream, in order. */
async function valuesIn(topic: string): Promise<Map<string, Buffer[]>> {
  const values = new Map<string, Buffer[]>();
  for (const key of await client.keys(`md:${topic}:*`)) {
    const entries = (await client.xrangeBuffer(key, '-', '+')) as [Buffer, Buffer[]][];
    values.set(
      key,
      entries.map(([, fields]) => fields[5]!),
    );
  }
  return values;
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

function keyOf(topic: string) {
  return ({ exchange, symbol }: Trade | Quote | Status) => `md:${topic}:${exchange}:${symbol}`;
}

describe('one market through Kafka and Redis', () => {
  it('is the same ticks as JSON, digit for digit', async () => {
    const published = await play('json.', 'json');
    let ticks = 0;
    for (const topic of TICK_CHANNELS) {
      const inRedis = await valuesIn(topic);
      const inKafka = grouped<Trade | Quote>(await readRecords(stack, topic, 'json.'), keyOf(topic));
      expect([...inRedis.keys()].sort()).toEqual([...inKafka.keys()].sort());
      for (const [key, records] of inKafka) {
        expect(inRedis.get(key)!.map((value) => JSON.parse(String(value)) as unknown)).toEqual(records);
        ticks += records.length;
      }
    }
    expect(ticks).toBeGreaterThanOrEqual(TICKS);
    const streamed = (await Promise.all(TICK_CHANNELS.map(valuesIn))).flatMap((values) =>
      [...values.values()].flat(),
    );
    expect(published.map(String).sort()).toEqual(streamed.map(String).sort());
    // Status records go the same way.
    const statuses = grouped(await readRecords(stack, 'status', 'json.'), keyOf('status'));
    const inRedis = await valuesIn('status');
    expect([...inRedis.keys()].sort()).toEqual([...statuses.keys()].sort());
    for (const [key, records] of statuses) {
      const values = inRedis.get(key)!.map((value) => JSON.parse(String(value)) as Status);
      // In Kafka each channel's are keyed apart.
      const facts = (list: readonly Status[]) =>
        list.map(({ channel, state }) => `${channel} ${state}`).sort();
      expect(facts(values)).toEqual(facts(records));
    }
  });

  it('is the same bytes as Avro', async () => {
    const published = await play('avro.', 'avro');
    const inKafka: Buffer[] = [];
    for (const topic of TICK_CHANNELS) {
      for (const { value } of await readTopic(stack, topicName('avro.', topic))) inKafka.push(value);
    }
    const streamed = (await Promise.all(TICK_CHANNELS.map(valuesIn))).flatMap((values) =>
      [...values.values()].flat(),
    );
    const sorted = (values: readonly Buffer[]) => values.map((value) => value.toString('hex')).sort();
    expect(inKafka.length).toBeGreaterThanOrEqual(TICKS);
    expect(sorted(streamed)).toEqual(sorted(inKafka));
    expect(sorted(published)).toEqual(sorted(inKafka));
  });
});
