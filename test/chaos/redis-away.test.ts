import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Status, TICK_CHANNELS } from '@tickline/schemas';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const MIB = 1024 * 1024;
const RATE = 2_000;
const HANG_MS = 30_000;
/** What the process may need besides its queues while much is under way. */
const SLACK_BYTES = 128 * MIB;

let stack: Stack;
let redis: RedisServer;
let simulators: Simulator[] = [];
let pod: Pod | undefined;

beforeAll(async () => {
  stack = await startStack();
});

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  pod?.process.kill();
  await redis.remove();
  await Promise.all(simulators.map((simulator) => simulator.close()));
});

afterAll(async () => {
  await stack?.stop();
});

/** A pod under load with Kafka and both Redis sinks, settled. */
async function podUnderLoad(prefix: string, flags: readonly string[]): Promise<Pod> {
  simulators = await startSimulators({ symbols: 20, rate: RATE });
  const options: PodOptions = {
    stack,
    simulators,
    prefix,
    flags: [
      '--redis.streams.enabled=true',
      '--redis.pubsub.enabled=true',
      `--redis.addresses=${redis.address}`,
      '--redis.requestTimeoutMs=3s',
      '--redis.streams.maxLength=none',
      ...flags,
    ],
  };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  return pod;
}

function sinkOf(status: Awaited<ReturnType<Pod['status']>>, name: string) {
  return status.sinks.find(({ sink }) => sink === name)!;
}

async function moreTicks(count: number): Promise<void> {
  const goal = ticksWritten(simulators) + count;
  await eventually(`${count} more ticks`, () => ticksWritten(simulators) >= goal);
}

interface StreamTick {
  readonly producer: string;
  readonly exchange: string;
  readonly symbol: string;
  readonly sequence: number;
  readonly conflated: number;
}

/** All ticks in Redis by `channel exchange symbol`, each stream in its order. */
async function streamsInRedis(): Promise<Map<string, StreamTick[]>> {
  const found = new Map<string, StreamTick[]>();
  for (const channel of TICK_CHANNELS) {
    for (const tick of await valuesInRedis<StreamTick>(channel)) {
      const name = `${channel} ${tick.exchange} ${tick.symbol}`;
      const list = found.get(name);
      if (list === undefined) found.set(name, [tick]);
      else list.push(tick);
    }
  }
  return found;
}

/** All entries of a topic's streams, as the records that they hold. */
async function valuesInRedis<T>(topic: string): Promise<T[]> {
  const client = new Redis(redis.port, '127.0.0.1');
  const values: T[] = [];
  for (const key of await client.keys(`md:${topic}:*`)) {
    for (let from = '-'; ; ) {
      const page = await client.xrange(key, from, '+', 'COUNT', 10_000);
      values.push(...page.map(([, fields]) => JSON.parse(fields[5]!) as T));
      if (page.length < 10_000) break;
      from = `(${page.at(-1)![0]}`;
    }
  }
  client.disconnect();
  return values;
}

/** How many ticks each stream lacks between its first and its last; throws where the order is broken. */
function holesIn(streams: ReadonlyMap<string, readonly StreamTick[]>): Map<string, number> {
  const holes = new Map<string, number>();
  for (const [name, ticks] of streams) {
    let before = 0;
    let missing = 0;
    for (const { sequence, conflated } of ticks) {
      expect(sequence - conflated, `${name} in order`).toBeGreaterThan(before);
      missing += sequence - conflated - before - 1;
      before = sequence;
    }
    if (missing > 0) holes.set(name, missing);
  }
  return holes;
}

/** How many ticks that is, those included that others stand for. */
function total(streams: ReadonlyMap<string, readonly StreamTick[]>): number {
  let ticks = 0;
  for (const list of streams.values()) for (const { conflated } of list) ticks += 1 + conflated;
  return ticks;
}

describe('Redis goes away beside Kafka', () => {
  it('hangs for 30 s: Kafka misses nothing, memory is bounded, Streams go on in order, Pub/Sub drops', async () => {
    const queueBytes = 128 * MIB;
    const running = await podUnderLoad('hang.', [`--redis.streams.queueBytes=${queueBytes}`]);
    await moreTicks(2 * RATE);
    const before = await running.status();
    redis.freeze();
    const until = performance.now() + HANG_MS;
    let [kafkaQueued, rss] = [0, 0];
    await eventually('it has hung for 30 s', async () => {
      const status = await running.status();
      kafkaQueued = Math.max(kafkaQueued, sinkOf(status, 'kafka').queuedRecords);
      rss = Math.max(rss, status.rssBytes);
      return performance.now() >= until;
    });
    const during = await running.status();
    redis.thaw();

    expect(kafkaQueued).toBeLessThan(2 * RATE);
    expect(rss).toBeLessThan(before.rssBytes + queueBytes + SLACK_BYTES);
    const streams = sinkOf(during, 'redis-streams');
    expect(streams).toMatchObject({ healthy: false, dropped: 0 });
    expect(streams.detail).toContain('redis.requestTimeoutMs');
    expect(streams.queuedRecords).toBeGreaterThan(10 * RATE);
    expect(streams.queuedBytes).toBeLessThanOrEqual(queueBytes);
    expect(sinkOf(during, 'redis-pubsub').dropped).toBeGreaterThan(10 * RATE);
    expect(sinkOf(during, 'redis-pubsub').queuedBytes).toBe(0);

    await running.until('Streams have caught up', (now) => {
      const sink = sinkOf(now, 'redis-streams');
      return sink.queuedRecords < RATE && sink.detail === null;
    });
    await moreTicks(RATE);
    stopMarkets(simulators);
    expect(await running.stop()).toBe(0);

    const channels = await readBack(stack, simulators, 'hang.');
    expect(troublesOf(channels)).toEqual([]);
    const inRedis = await streamsInRedis();
    expect(holesIn(inRedis)).toEqual(new Map());
    // What Kafka has, each once.
    expect(total(inRedis)).toBe(matchedIn(channels));
    const events = running.log().map(({ event, sink }) => `${String(event)} ${String(sink)}`);
    for (const sink of ['redis-streams', 'redis-pubsub']) {
      expect(events.filter((event) => event === `redis-reached ${sink}`).length).toBe(1);
    }
    expect(events.filter((event) => event === 'redis-pubsub-drops redis-pubsub').length).toBe(1);
  });

  it('is killed while the queue is too small for the outage: what was lost is counted and told', async () => {
    const running = await podUnderLoad('kill.', [
      '--redis.streams.queueBytes=1MiB',
      '--redis.streams.batchBytes=16KiB',
    ]);
    await moreTicks(2 * RATE);
    await redis.stop('SIGKILL');
    await running.until('ticks are shed', (now) => sinkOf(now, 'redis-streams').dropped > RATE);
    const during = await running.status();
    expect(sinkOf(during, 'redis-streams').queuedBytes).toBeLessThanOrEqual(MIB);
    expect(sinkOf(during, 'kafka').dropped).toBe(0);
    await redis.start();
    await running.until('Streams go on', (now) => {
      const sink = sinkOf(now, 'redis-streams');
      return sink.queuedRecords < RATE && sink.detail === null;
    });
    await moreTicks(2 * RATE);
    stopMarkets(simulators);
    const settled = await running.until('all is confirmed', ({ sinks }) =>
      sinks.every(({ queuedRecords }) => queuedRecords === 0),
    );
    const { dropped } = sinkOf(settled, 'redis-streams');
    expect(await running.stop()).toBe(0);

    expect(troublesOf(await readBack(stack, simulators, 'kill.'))).toEqual([]);
    // Between a stream's first and last tick in Redis nothing is missing but what the gap records name.
    const holes = holesIn(await streamsInRedis());
    const told = new Map<string, number>();
    const statuses = await valuesInRedis<Status>('status');
    for (const { state, reason, channel, exchange, symbol, count } of statuses) {
      if (state !== 'gap') continue;
      expect(reason).toMatch(/^redis-streams: queue full/);
      const name = `${channel} ${exchange} ${symbol}`;
      told.set(name, (told.get(name) ?? 0) + Number(count));
    }
    // In Kafka nothing is missing, and nobody says so.
    const inKafka = await readRecords(stack, 'status', 'kill.');
    expect(inKafka.filter(({ state }) => state === 'gap')).toEqual([]);
    expect(holes.size).toBeGreaterThan(0);
    expect([...told].sort()).toEqual([...holes].sort());
    // Ticks of the status streams may have been shed too; they are in no gap record.
    expect(dropped).toBeGreaterThanOrEqual([...holes.values()].reduce((sum, count) => sum + count, 0));
  });

  it('refuses the login from the beginning: one clear error, Kafka runs all the same', async () => {
    simulators = await startSimulators({ symbols: 5, rate: 500 });
    mkdirSync(ticklineFolder, { recursive: true });
    const folder = mkdtempSync(join(ticklineFolder, 'redis-away-'));
    writeFileSync(join(folder, 'password'), 'battery staple\n');
    const options: PodOptions = {
      stack,
      simulators,
      prefix: 'login.',
      flags: [
        '--redis.streams.enabled=true',
        `--redis.addresses=${redis.address}`,
        '--redis.username=nobody',
        `--redis.passwordFile=${join(folder, 'password')}`,
      ],
    };
    await provision(options);
    pod = await startPod(options);
    rmSync(folder, { recursive: true });
    const running = pod;
    await running.until('Kafka has ticks', (now) => sinkOf(now, 'kafka').acknowledged > 1000);
    const { detail, healthy } = sinkOf(await running.status(), 'redis-streams');
    expect(healthy).toBe(false);
    expect(detail).toContain('redis.username and redis.passwordFile');
    const errors = running.log().filter(({ level }) => level === 'error');
    expect(errors.map(({ event }) => event)).toEqual(['redis-unreachable']);
    expect(JSON.stringify([running.log(), await running.status()])).not.toContain('staple');
  });
});
