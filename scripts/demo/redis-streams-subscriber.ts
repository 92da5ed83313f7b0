import { setTimeout as delay } from 'node:timers/promises';
import {
  DEFAULT_TOPIC_PREFIX,
  EXCHANGES,
  type Quote,
  type Status,
  TICK_CHANNELS,
  type TickChannel,
  type Trade,
} from '@tickline/schemas';
import type { Redis } from 'ioredis';
import { waitUntil } from '../stack/wait-until.ts';
import { nowMicros } from './now-micros.ts';
import { redisClient } from './redis-client.ts';
import type { Subscriber, SubscriberContext, SubscriberListener } from './subscriber.ts';
import { stampOf } from './tick-identity.ts';

const GROUP = 'tickline-demo';
const CONSUMER = 'demo';
/** Most entries of each stream in one answer. */
const COUNT = 500;
const BLOCK_MS = 200;
/** A Redis that fails for so long is no passing trouble. */
const GIVE_UP_MS = 15_000;

/** The streams by the default of `redis.streams.key`: `md:{topic}:{exchange}`. */
const STREAMS: ReadonlyMap<string, TickChannel | 'status'> = new Map(
  [...TICK_CHANNELS, 'status' as const].flatMap((topic) =>
    EXCHANGES.map((exchange) => [`${DEFAULT_TOPIC_PREFIX.replace('.', ':')}${topic}:${exchange}`, topic]),
  ),
);

/** An answer of XREADGROUP: entries by stream; the fields of one that was trimmed away are null. */
type Answer = readonly (readonly [
  stream: string,
  entries: readonly (readonly [id: string, fields: readonly string[] | null])[],
])[];

/**
 * Reads all streams as the one consumer of a group: XREADGROUP, then XACK. After a lost connection it begins with
 * what was delivered to it and not acknowledged.
 */
export async function subscribeRedisStreams(
  address: string,
  { listener, log }: SubscriberContext,
): Promise<Subscriber> {
  const client = redisClient(address, 'tickline-demo-streams', log);
  const admin = redisClient(address, 'tickline-demo-streams-admin', log);
  try {
    await Promise.all([client.connect(), admin.connect()]);
    for (const stream of STREAMS.keys()) await admin.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
  } catch (error) {
    client.disconnect();
    admin.disconnect();
    throw error;
  }
  const consumer = new GroupConsumer(client, listener, log);
  const consumed = consumer.run();
  return {
    ready: async () => {},
    async reachEnd(timeoutMs) {
      const ends = await lastEntries(admin);
      await waitUntil(
        async () => {
          const behind = [...ends].filter(([stream, id]) => consumer.positions.get(stream) !== id);
          if (behind.length === 0) return true;
          throw new Error(`still behind in ${behind.length} streams, first ${behind[0]?.[0]}`);
        },
        { what: 'the subscriber to reach the end of the Redis streams', timeoutMs, everyMs: 20 },
      );
    },
    async stop() {
      consumer.stop();
      client.disconnect();
      admin.disconnect();
      await consumed;
    },
  };
}

class GroupConsumer {
  /** The last entry read of each stream. */
  readonly positions = new Map<string, string>();
  private readonly client: Redis;
  private readonly listener: SubscriberListener;
  private readonly log: (line: string) => void;
  /** On their way, together with the next question. */
  private acknowledgements: Promise<unknown>[] = [];
  private isStopped = false;

  constructor(client: Redis, listener: SubscriberListener, log: (line: string) => void) {
    this.client = client;
    this.listener = listener;
    this.log = log;
  }

  stop(): void {
    this.isStopped = true;
  }

  async run(): Promise<void> {
    await this.readAll();
    await Promise.allSettled(this.acknowledgements);
  }

  private async readAll(): Promise<void> {
    let from: '0' | '>' = '>';
    let wellAt = performance.now();
    while (!this.isStopped) {
      try {
        const isEmpty = await this.readOnce(from);
        wellAt = performance.now();
        if (isEmpty) from = '>';
      } catch (error) {
        if (this.isStopped) return;
        if (performance.now() - wellAt > GIVE_UP_MS) {
          this.listener.failed(error as Error);
          return;
        }
        this.log(`XREADGROUP: ${(error as Error).message}`);
        from = '0';
        await delay(100);
      }
    }
  }

  /** Reads one answer and acknowledges it along with the next question; true when there was nothing. */
  private async readOnce(from: '0' | '>'): Promise<boolean> {
    const streams = [...STREAMS.keys()];
    const acknowledged = this.acknowledgements;
    this.acknowledgements = [];
    const asked = this.client.xreadgroup(
      'GROUP',
      GROUP,
      CONSUMER,
      'COUNT',
      COUNT,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      ...streams,
      ...streams.map(() => from),
    );
    const [answer] = (await Promise.all([asked, ...acknowledged])) as [Answer | null];
    let read = 0;
    for (const [stream, entries] of answer ?? []) {
      const ids = entries.map(([id]) => id);
      for (const [, fields] of entries) if (fields !== null) this.take(stream, fields);
      const last = ids.at(-1);
      if (last === undefined) continue;
      read += ids.length;
      this.positions.set(stream, last);
      this.acknowledgements.push(this.client.xack(stream, GROUP, ...ids));
    }
    return read === 0;
  }

  private take(stream: string, fields: readonly string[]): void {
    const topic = STREAMS.get(stream);
    const value = fields[fields.indexOf('v') + 1] ?? '';
    if (topic === undefined) return;
    if (topic === 'status') {
      this.listener.status(JSON.parse(value) as Status);
      return;
    }
    const record = JSON.parse(value) as Trade | Quote;
    this.listener.tick(topic, stampOf(topic, record), nowMicros(), record);
  }
}

/** The last entry of each stream that has one. */
async function lastEntries(client: Redis): Promise<Map<string, string>> {
  const ends = new Map<string, string>();
  for (const stream of STREAMS.keys()) {
    const [last] = await client.xrevrange(stream, '+', '-', 'COUNT', 1);
    if (last !== undefined) ends.set(stream, last[0]);
  }
  return ends;
}
