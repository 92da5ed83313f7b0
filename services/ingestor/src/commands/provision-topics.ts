import { setTimeout as delay } from 'node:timers/promises';
import { TOPICS, type Topic, topicName } from '@tickline/schemas';
import kafkajs, { type Admin } from 'kafkajs';

/** CommonJS whose names Node does not find: only the default export has these. */
const { ConfigResourceTypes, KafkaJSProtocolError } = kafkajs;

import type { TopicsConfig } from '../config.ts';

/** A topic as it should be. */
export interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's topic settings by its names. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One thing that is not as it should be. */
export interface Drift {
  /** `partitions`, `replication`, or a setting's name. */
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
}

/** All topics as the configuration wants them on a cluster of so many brokers. */
export function wantedTopics(topics: TopicsConfig, prefix: string, brokers: number): WantedTopic[] {
  const replication = topics.replication ?? Math.min(3, brokers);
  const inSync = topics.minInsyncReplicas ?? Math.max(1, Math.min(2, replication - 1));
  return TOPICS.map((topic: Topic) => ({
    name: topicName(prefix, topic),
    partitions: topics.partitions,
    replication,
    settings: {
      'cleanup.policy': 'delete',
      // Receive time: exchange clocks must not drive retention.
      'message.timestamp.type': 'CreateTime',
      'max.message.bytes': String(topics.maxMessageBytes),
      'min.insync.replicas': String(inSync),
      'retention.ms': unlimitedAsMinusOne(topics.retention[topic].ms),
      'retention.bytes': unlimitedAsMinusOne(topics.retention[topic].bytes),
    },
  }));
}

function unlimitedAsMinusOne(value: number): string {
  return Number.isFinite(value) ? String(value) : '-1';
}

/** What there is of the wanted topics: null for one that is missing, else how it differs. */
export async function inspectTopics(
  admin: Admin,
  wanted: readonly WantedTopic[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<(readonly Drift[] | null)[]> {
  const existing = new Set(await admin.listTopics());
  const present = wanted.filter(({ name }) => existing.has(name));
  if (present.length === 0) return wanted.map(() => null);
  const names = present.map(({ name }) => name);
  await leadersOf(admin, names, timeoutMs, signal);
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: present.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  return wanted.map((topic) => {
    const metadata = topics.find(({ name }) => name === topic.name);
    const resource = resources.find(({ resourceName }) => resourceName === topic.name);
    if (metadata === undefined || resource === undefined) return null;
    const settings = new Map(resource.configEntries.map((entry) => [entry.configName, entry.configValue]));
    const copies = new Set(metadata.partitions.map(({ replicas }) => replicas.length));
    return [
      drift('partitions', String(topic.partitions), String(metadata.partitions.length)),
      drift('replication', String(topic.replication), [...copies].join(', ')),
      ...Object.entries(topic.settings).map(([name, value]) =>
        drift(name, value, settings.get(name) ?? 'not set'),
      ),
    ].filter((each) => each !== null);
  });
}

function drift(what: string, wanted: string, found: string): Drift | null {
  return wanted === found ? null : { what, wanted, found };
}

/**
 * Creates topics and waits until their partitions have leaders, at most `timeoutMs`; one that another
 * process made meanwhile is left alone.
 */
export async function createTopics(
  admin: Admin,
  topics: readonly WantedTopic[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, partitions, replication, settings } of topics) {
    try {
      await admin.createTopics({
        // kafkajs' own wait fails while a broker has not heard of the topic yet (error 3).
        waitForLeaders: false,
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor: replication,
            configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
          },
        ],
      });
    } catch (error) {
      if (error instanceof KafkaJSProtocolError && error.type === 'TOPIC_ALREADY_EXISTS') continue;
      const reason = error instanceof Error ? causeOf(error) : String(error);
      throw new Error(
        `can't create the topic ${name} (${partitions} partitions, ${replication} copies): ${reason}`,
        { cause: error },
      );
    }
  }
  await leadersOf(
    admin,
    topics.map(({ name }) => name),
    timeoutMs,
    signal,
  );
}

/** Waits until all partitions of these topics have leaders; just after a topic is made brokers may not know it. */
async function leadersOf(
  admin: Admin,
  names: string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (names.length > 0 && !(await haveLeaders(admin, names))) {
    if (performance.now() > deadline) {
      throw new Error(`partitions of ${names.join(', ')} have no leaders after ${timeoutMs} ms`);
    }
    await delay(LEADER_POLL_MS, undefined, { signal });
  }
}

const LEADER_POLL_MS = 100;

async function haveLeaders(admin: Admin, names: string[]): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch (error) {
    // Unknown topic, no leader, not the leader: the news is still on its way.
    if (error instanceof KafkaJSProtocolError && [3, 5, 6].includes(error.code)) return false;
    throw error;
  }
}

/** kafkajs wraps what createTopics was refused for, one error for each topic. */
function causeOf(error: Error): string {
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return inner.length > 0 ? inner.map((each: unknown) => String(each)).join('; ') : error.message;
}
