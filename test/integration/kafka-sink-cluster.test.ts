import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { waitUntil } from '../../scripts/stack/wait-until.ts';
import { KafkaSink } from '../../services/ingestor/src/sinks/kafka/kafka-sink.ts';
import { TickLoad } from '../../services/ingestor/src/sinks/kafka/testing/tick-load.ts';
import { readTopic, sequencesByKey } from '../../services/ingestor/src/sinks/kafka/testing/topic-reader.ts';
import { SILENT_LOG } from '../../services/ingestor/src/sinks/sink-log.ts';

const PARTITIONS = 6;
const RATE = 10_000;

let stack: Stack;
let admin: kafkajs.Admin;

beforeAll(async () => {
  stack = await startStack({ brokers: 3, registry: false });
  admin = new kafkajs.Kafka({
    brokers: [...stack.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20 },
  }).admin();
  await admin.connect();
});

afterAll(async () => {
  await admin.disconnect();
  await stack.stop();
});

async function leadersOf(topic: string): Promise<number[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions.sort((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader);
}

describe('three brokers', () => {
  it('leaders move, a broker is killed and returns: nothing lost, nothing twice, order kept', async () => {
    const topics = ['trades', 'quotes', 'status', 'invalid'].map((topic) => `md.${topic}`);
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({
        topic,
        replicaAssignment: Array.from({ length: PARTITIONS }, (_, partition) => ({
          partition,
          replicas: [1 + (partition % 3), 1 + ((partition + 1) % 3)],
        })),
        configEntries: [{ name: 'min.insync.replicas', value: '1' }],
      })),
    });
    const told: string[] = [];
    const sink = new KafkaSink({
      brokers: stack.brokers,
      clientId: 'kafka-sink-cluster-test',
      access: () => ({ ssl: null, sasl: null }),
      topicPrefix: 'md.',
      log: SILENT_LOG,
    });
    await sink.start({
      full: () => told.push('full'),
      drained: () => told.push('drained'),
      lost: ({ key }) => told.push(`lost ${key}`),
      repeated: ({ key }) => told.push(`repeated ${key}`),
    });
    const load = new TickLoad(sink, 60);
    const acknowledgedMore = async (records: number) => {
      const goal = sink.counters.records + records;
      await waitUntil(async () => sink.counters.records >= goal || undefined, {
        what: `${records} more records to be acknowledged`,
        timeoutMs: 60_000,
        everyMs: 20,
      });
    };
    load.start(RATE);
    try {
      await acknowledgedMore(RATE);
      // Every partition to two other brokers: each leader has to go.
      const before = await leadersOf('md.trades');
      await admin.alterPartitionReassignments({
        topics: [
          {
            topic: 'md.trades',
            partitionAssignment: before.map((leader, partition) => ({
              partition,
              replicas: [1 + (leader % 3), 1 + ((leader + 1) % 3)],
            })),
          },
        ],
      });
      await waitUntil(
        async () => {
          const now = await leadersOf('md.trades');
          return now.every((leader, partition) => leader !== before[partition] && leader > 0) || undefined;
        },
        { what: 'all leaders to move', timeoutMs: 60_000 },
      );
      await acknowledgedMore(RATE);
      await stack.broker(2).stop('SIGKILL');
      await acknowledgedMore(2 * RATE);
      await stack.broker(2).start();
      await acknowledgedMore(RATE);
    } finally {
      load.stop();
    }
    expect(await sink.flush(60_000)).toBe(true);
    expect(told).toEqual([]);
    expect(sink.counters.retries).toBeGreaterThan(0);
    await sink.close();

    const read = sequencesByKey(await readTopic(stack.brokers, 'md.trades'));
    expect(load.refused).toBe(0);
    expect(read.size).toBe(60);
    for (const [key, given] of load.given) {
      const sequences = read.get(key)!;
      expect(sequences.length, key).toBe(given);
      expect(
        sequences.every((sequence, index) => sequence === index + 1),
        `${key} in order`,
      ).toBe(true);
    }
  });
});
