import { RecordReader, type Records, type RecordTopic, topicName } from '@tickline/schemas';
import { Kafka, logLevel } from 'kafkajs';
import { registrySchemas } from '../../scripts/stack/registry-schemas.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import { eventually } from './eventually.ts';

/** One record as a consumer sees it. */
export interface TopicMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Buffer;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** All records of a topic from its beginning to its end at the time of the call, by partition and offset. */
export async function readTopic(stack: Stack, topic: string): Promise<TopicMessage[]> {
  const kafka = new Kafka({
    clientId: 'test-reader',
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  // A broker that has just started leads nothing for a moment (NOT_LEADER_OR_FOLLOWER).
  const ends = await eventually(`${topic} has leaders`, () => admin.fetchTopicOffsets(topic), 30_000);
  await admin.disconnect();
  const open = new Map(
    ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)]),
  );
  if (open.size === 0) return [];

  const messages: TopicMessage[] = [];
  const consumer = kafka.consumer({ groupId: `test-${process.pid}-${Math.random()}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) {
        messages.push({
          partition: batch.partition,
          offset: BigInt(message.offset),
          key: message.key === null ? null : message.key.toString(),
          value: message.value ?? Buffer.alloc(0),
          timestamp: Number(message.timestamp),
          headers: Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          ),
        });
      }
      const end = open.get(batch.partition);
      if (end !== undefined && BigInt(batch.lastOffset()) >= end - 1n) open.delete(batch.partition);
    },
  });
  await eventually(`all of ${topic} is read`, () => open.size === 0 || undefined, 120_000);
  await consumer.disconnect();
  return messages.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** The decoded values of a topic, read through the registry. */
export async function readRecords<T extends RecordTopic>(
  stack: Stack,
  topic: T,
  prefix = 'md.',
): Promise<Records[T][]> {
  const reader = new RecordReader(topic, registrySchemas(stack.registryUrl));
  const records: Records[T][] = [];
  for (const { value } of await readTopic(stack, topicName(prefix, topic)))
    records.push(await reader.read(value));
  return records;
}
