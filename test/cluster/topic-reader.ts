import { RecordReader, type Records, type RecordTopic, topicName } from '@tickline/schemas';
import { Kafka, logLevel } from 'kafkajs';
import { registrySchemas } from '../../scripts/stack/registry-schemas.ts';

/** Where to read. */
export interface TopicSource {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
}

/** The decoded values of a topic, from its beginning to its end at the time of the call, by partition and offset. */
export async function readTopic<T extends RecordTopic>(source: TopicSource, topic: T): Promise<Records[T][]> {
  const kafka = new Kafka({ clientId: 'audit', brokers: [...source.brokers], logLevel: logLevel.NOTHING });
  const name = topicName('md.', topic);
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(name);
  await admin.disconnect();
  const open = new Map(
    ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)]),
  );
  const values = new Map<number, Buffer[]>();
  if (open.size > 0) {
    const consumer = kafka.consumer({ groupId: `audit-${topic}-${Date.now()}`, maxWaitTimeInMs: 200 });
    await consumer.connect();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const read = values.get(batch.partition) ?? [];
            values.set(batch.partition, read);
            for (const { value } of batch.messages) if (value !== null) read.push(value);
            const end = open.get(batch.partition);
            if (end !== undefined && BigInt(batch.lastOffset()) >= end - 1n) open.delete(batch.partition);
            if (open.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
  }
  const reader = new RecordReader(topic, registrySchemas(source.registryUrl));
  const records: Records[T][] = [];
  for (const [, partition] of [...values].sort(([a], [b]) => a - b)) {
    for (const value of partition) records.push(await reader.read(value));
  }
  return records;
}
