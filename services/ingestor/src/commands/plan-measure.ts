import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RecordReader, topicName } from '@tickline/schemas';
import { Kafka } from 'kafkajs';
import { kafkaClientConfig } from '../config/kafka-client.ts';
import type { FleetConfig } from '../config.ts';
import { RegistryClient } from '../registry-client.ts';
import { unitOf } from '../sharding/shard-of.ts';
import { reachKafka, withRights } from './kafka-access.ts';

/** Trades a second by unit, and how many values could not be read. */
export interface Measured {
  readonly weights: ReadonlyMap<string, number>;
  readonly unreadable: number;
  /** Why the first of them could not; empty when all could. */
  readonly reason: string;
}

/**
 * Counts what arrives on the topic of trades for so long, by exchange and symbol. It reads as a
 * consumer group of its own from the end of the topic, and removes the group afterwards.
 */
export async function measureTrades(
  config: Pick<FleetConfig, 'kafka' | 'registry'>,
  seconds: number,
  signal: AbortSignal,
): Promise<Measured> {
  await reachKafka(config.kafka, signal);
  try {
    return await measured(config, seconds, signal);
  } catch (error) {
    const topic = topicName(config.kafka.topicPrefix, 'trades');
    const rights = `Read on the topic ${topic}, and Read and Delete on the groups with the prefix ${GROUP_PREFIX}`;
    throw withRights(error, config.kafka, rights);
  }
}

const GROUP_PREFIX = 'tickline-plan-';

async function measured(
  config: Pick<FleetConfig, 'kafka' | 'registry'>,
  seconds: number,
  signal: AbortSignal,
): Promise<Measured> {
  const kafka = new Kafka(kafkaClientConfig(config.kafka));
  const groupId = `${GROUP_PREFIX}${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
  const client = new RegistryClient(config.registry, signal);
  const reader = new RecordReader('trades', (id) => client.schemaOf(id));
  const counts = new Map<string, number>();
  let unreadable = 0;
  let reason = '';
  let elapsed = seconds;
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: topicName(config.kafka.topicPrefix, 'trades'), fromBeginning: false });
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve());
      // kafkajs begins again by itself after what may pass, such as a coordinator that is loading.
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
    });
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (message.value === null) return;
        try {
          const { exchange, symbol } = await reader.read(message.value);
          const unit = unitOf(exchange, symbol);
          counts.set(unit, (counts.get(unit) ?? 0) + 1);
        } catch (error) {
          if (unreadable === 0) reason = error instanceof Error ? error.message : String(error);
          unreadable++;
        }
      },
    });
    await joined;
    const startedAt = performance.now();
    await delay(seconds * 1000, undefined, { signal });
    elapsed = (performance.now() - startedAt) / 1000;
  } finally {
    await consumer.disconnect();
    client.close();
    const admin = kafka.admin();
    await admin.connect();
    try {
      // A group that never joined is not there.
      await admin.deleteGroups([groupId]).catch(() => undefined);
    } finally {
      await admin.disconnect();
    }
  }
  return {
    weights: new Map([...counts].map(([unit, count]) => [unit, count / elapsed])),
    unreadable,
    reason,
  };
}
