import {
  DEFAULT_TOPIC_PREFIX,
  RecordReader,
  type SchemaSource,
  TICK_CHANNELS,
  type TickChannel,
  topicName,
} from '@tickline/schemas';
import { type Admin, type Consumer, type EachBatchPayload, Kafka, logLevel } from 'kafkajs';
import { waitUntil } from '../stack/wait-until.ts';
import { nowMicros } from './now-micros.ts';
import type { Subscriber, SubscriberContext } from './subscriber.ts';
import { StampReader } from './tick-identity.ts';

/** What {@link subscribeKafka} needs besides. */
export interface KafkaSource {
  readonly brokers: readonly string[];
  readonly schemas: SchemaSource;
}

const topics = new Map<string, TickChannel | 'status'>(
  [...TICK_CHANNELS, 'status' as const].map((channel) => [topicName(DEFAULT_TOPIC_PREFIX, channel), channel]),
);

/**
 * Reads `md.trades`, `md.quotes` and `md.status` from their beginning, which must exist, as a consumer group.
 * Resolves when partitions are assigned.
 */
export async function subscribeKafka(
  { brokers, schemas }: KafkaSource,
  { listener, log }: SubscriberContext,
): Promise<Subscriber> {
  const kafka = new Kafka({
    clientId: 'tickline-demo',
    brokers: [...brokers],
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message, error } }) =>
        log(`${namespace}: ${message}${error === undefined ? '' : ` (${error})`}`),
    retry: { retries: 20, maxRetryTime: 2_000 },
  });
  const consumer = kafka.consumer({
    groupId: `tickline-demo-${process.pid}`,
    // How long a fetch waits for the first byte: data itself is handed over at once.
    maxWaitTimeInMs: 200,
    minBytes: 1,
    retry: { retries: 20, maxRetryTime: 2_000 },
  });
  const stamps = {
    trades: new StampReader('trades', schemas),
    quotes: new StampReader('quotes', schemas),
  };
  const statuses = new RecordReader('status', schemas);
  /** The next offset to read, by topic and partition. */
  const positions = new Map<string, bigint>();

  const readBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
    const channel = topics.get(batch.topic);
    const values = batch.messages.map(({ value }) => value).filter((value) => value !== null);
    if (channel === 'status') {
      for (const value of values) listener.status(await statuses.read(value));
    } else if (channel !== undefined) {
      const reader = stamps[channel];
      await reader.prepare(values);
      for (const value of values) listener.tick(channel, reader.read(value), nowMicros(), value);
    }
    positions.set(`${batch.topic} ${batch.partition}`, BigInt(batch.lastOffset()) + 1n);
  };

  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      // A new broker's group coordinator is still loading, or moves: the client tries again by itself.
      if (payload.restart) return;
      reject(payload.error);
      listener.failed(payload.error);
    });
  });
  joined.catch(() => undefined);
  const admin = kafka.admin();
  try {
    await Promise.all([consumer.connect(), admin.connect()]);
    await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: readBatch });
    await joined;
  } catch (error) {
    await disconnect(consumer, admin);
    throw error;
  }

  return {
    ready: async () => {},
    async reachEnd(timeoutMs) {
      const ends = await endOffsets(admin);
      await waitUntil(
        async () => {
          const behind = [...ends].filter(([at, end]) => (positions.get(at) ?? 0n) < end);
          if (behind.length === 0) return true;
          throw new Error(`still behind in ${behind.length} partitions, first ${behind[0]?.[0]}`);
        },
        { what: 'the subscriber to reach the end of the topics', timeoutMs, everyMs: 20 },
      );
    },
    stop: () => disconnect(consumer, admin),
  };
}

async function endOffsets(admin: Admin): Promise<Map<string, bigint>> {
  const ends = new Map<string, bigint>();
  for (const topic of topics.keys()) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      // An empty partition has nothing to reach.
      if (high !== low) ends.set(`${topic} ${partition}`, BigInt(high));
    }
  }
  return ends;
}

async function disconnect(consumer: Consumer, admin: Admin): Promise<void> {
  await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
}
