import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
const decompress = promisify(zstdDecompress);

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: () => Promise.reject(new Error('this codec only reads')),
  decompress: (bytes: Buffer) => decompress(bytes),
});

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that stands in a topic now, read by kafkajs' consumer; in order within each partition. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)] as const),
  );
  await admin.disconnect();
  const left = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  if (left.size === 0) return [];

  const records: TopicRecord[] = [];
  const consumer = kafka.consumer({ groupId: `read-${topic}-${Math.random()}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            for (const { offset, key, value, timestamp, headers } of batch.messages) {
              records.push({
                partition: batch.partition,
                offset: Number(offset),
                key: String(key),
                value: value ?? Buffer.alloc(0),
                timestamp: Number(timestamp),
                headers: Object.fromEntries(
                  Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]),
                ),
              });
            }
            const last = batch.messages.at(-1);
            if (last !== undefined && Number(last.offset) + 1 >= ends.get(batch.partition)!) {
              left.delete(batch.partition);
            }
            if (left.size === 0) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

/** Key → sequences (the first eight bytes of each value), in the order of the log. */
export function sequencesByKey(records: readonly TopicRecord[]): Map<string, number[]> {
  const sequences = new Map<string, number[]>();
  for (const { key, value } of records) {
    const ofKey = sequences.get(key);
    if (ofKey === undefined) sequences.set(key, [value.readDoubleBE(0)]);
    else ofKey.push(value.readDoubleBE(0));
  }
  return sequences;
}
