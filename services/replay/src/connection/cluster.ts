import { setTimeout as delay } from 'node:timers/promises';
import { nearestNames } from '../output/nearest.ts';
import { ConnectionError } from './connection-error.ts';
import type { KafkaSettings } from './connection-settings.ts';
import { KafkajsBridge, type MetadataAnswer } from './kafkajs-bridge.ts';

/** A topic that the cluster does not have, or does not show us: exit code 2. */
export class UnknownTopicError extends Error {
  override name = 'UnknownTopicError';
}

/** One partition of a topic and who has it. */
export interface ClusterPartition {
  readonly partition: number;
  /** Node id; -1: none at this moment. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** A topic as brokers describe it. */
export interface ClusterTopic {
  readonly name: string;
  readonly isInternal: boolean;
  readonly partitions: readonly ClusterPartition[];
}

/** First offset at a time, and that record's own timestamp in milliseconds. */
export interface TimedOffset {
  readonly offset: number;
  readonly timestampMs: number;
}

/** ListOffsets: the first offset there is, and the one that will be written next. */
const EARLIEST = -2;
const LATEST = -1;
const UNKNOWN_TOPIC = 3;
const TOPIC_AUTHORIZATION_FAILED = 29;
/** What passes: no leader, not the leader, unknown topic just after it was made, epochs, offset not available. */
const PASSING: ReadonlySet<number> = new Set([3, 5, 6, 7, 9, 56, 74, 75, 76, 78]);
/** A broker that was killed has its partitions led by others after 9 s (broker.session.timeout.ms). */
const PATIENCE_MS = 12_000;
const RETRY_MS = 200;

/** What the command asks of a cluster, beside the records. Everything rejects with ConnectionError. */
export class Cluster {
  readonly topicPrefix: string;
  private readonly bridge: KafkajsBridge;
  private readonly known = new Map<string, ClusterTopic>();

  constructor(settings: KafkaSettings) {
    this.topicPrefix = settings.topicPrefix;
    this.bridge = new KafkajsBridge(settings);
  }

  /** Connects, logs in and returns all topics that we may see. */
  async topics(): Promise<ClusterTopic[]> {
    const { topicMetadata } = await this.bridge.metadata([]);
    return topicMetadata.filter(({ topicErrorCode }) => topicErrorCode === 0).map(topicOf);
  }

  /** All brokers by the addresses that they advertise. */
  async brokers(): Promise<{ nodeId: number; address: string }[]> {
    const { brokers } = await this.bridge.metadata([]);
    return brokers.map(({ nodeId, host, port }) => ({ nodeId, address: `${host}:${port}` }));
  }

  /** Connects to one address and logs in. */
  tryAddress(address: string): Promise<void> {
    return this.bridge.tryAddress(address);
  }

  /** One topic. Rejects with UnknownTopicError. */
  async topic(name: string, refresh = false): Promise<ClusterTopic> {
    const known = this.known.get(name);
    if (known !== undefined && !refresh) return known;
    const { topicMetadata } = await this.bridge.metadata([name]);
    const answer = topicMetadata.find(({ topic }) => topic === name);
    if (answer?.topicErrorCode === TOPIC_AUTHORIZATION_FAILED) {
      throw new ConnectionError(`our user (kafka.sasl) may not read ${name}`, 'kafka.sasl');
    }
    if (answer === undefined || answer.topicErrorCode === UNKNOWN_TOPIC) throw await this.unknown(name);
    const topic = topicOf(answer);
    this.known.set(name, topic);
    return topic;
  }

  /** The node that leads each partition of a topic; a partition without a leader is left out. */
  async leaders(name: string, refresh: boolean): Promise<ReadonlyMap<number, number>> {
    const { partitions } = await this.topic(name, refresh);
    return new Map(
      partitions.filter(({ leader }) => leader >= 0).map(({ partition, leader }) => [partition, leader]),
    );
  }

  fetch(nodeId: number, body: Buffer, maxWaitMs: number): Promise<Buffer> {
    return this.bridge.fetch(nodeId, body, maxWaitMs);
  }

  /** First offset that is there and the next one to be written, of all partitions in their order. */
  async bounds(name: string): Promise<{ partition: number; low: number; high: number }[]> {
    const low = await this.listOffsets(name, EARLIEST);
    const high = await this.listOffsets(name, LATEST);
    const { partitions } = await this.topic(name);
    return partitions.map(({ partition }) => ({
      partition,
      low: low.get(partition)?.offset ?? 0,
      high: high.get(partition)?.offset ?? 0,
    }));
  }

  /** First offset whose timestamp is `ms` or later, by partition; one without such a record is left out. */
  async offsetsAt(name: string, ms: number): Promise<ReadonlyMap<number, number>> {
    const found = await this.listOffsets(name, Math.max(0, Math.floor(ms)));
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]));
  }

  /** The first record that is there, by partition; an empty one is left out. */
  firstRecords(name: string): Promise<ReadonlyMap<number, TimedOffset>> {
    return this.listOffsets(name, 0);
  }

  topicSettings(names: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    return this.bridge.topicSettings(names);
  }

  close(): Promise<void> {
    return this.bridge.close();
  }

  private async unknown(name: string): Promise<UnknownTopicError> {
    const names = (await this.topics()).filter(({ isInternal }) => !isInternal).map((topic) => topic.name);
    const nearest = nearestNames(name, names);
    const hint =
      nearest.length > 0
        ? `did you mean ${nearest.join(' or ')}?`
        : names.length === 0
          ? 'the cluster has no topics that we may see'
          : `\`tickline topics\` lists those that it has`;
    return new UnknownTopicError(
      `the cluster has no topic ${name} (names begin with kafka.topicPrefix, ${JSON.stringify(this.topicPrefix)}): ${hint}`,
    );
  }

  /** Asks the leaders; what passes is tried again for a while. */
  private async listOffsets(name: string, timestamp: number): Promise<ReadonlyMap<number, TimedOffset>> {
    const found = new Map<number, TimedOffset>();
    const startedAt = performance.now();
    let code = 0;
    let away: ConnectionError | null = null;
    for (let isAgain = false; ; isAgain = true) {
      const { partitions } = await this.topic(name, isAgain);
      const open = partitions.filter(({ partition }) => !found.has(partition));
      const answered = await Promise.all(
        [...Map.groupBy(open, ({ leader }) => leader)]
          .filter(([leader]) => leader >= 0)
          .map(async ([leader, led]) => {
            const wanted = led.map(({ partition }) => ({ partition, timestamp }));
            try {
              return (await this.bridge.listOffsets(leader, name, wanted)).responses;
            } catch (error) {
              // Another broker may lead them soon.
              if (!(error instanceof ConnectionError) || error.setting !== 'kafka.brokers') throw error;
              away = error;
              return [];
            }
          }),
      );
      for (const each of answered.flat().flatMap((topic) => topic.partitions)) {
        code = each.errorCode === 0 ? code : each.errorCode;
        if (each.errorCode !== 0 && !PASSING.has(each.errorCode)) {
          throw new ConnectionError(
            `the brokers (kafka.brokers) do not tell offsets of ${name}: error ${each.errorCode}`,
            'kafka.brokers',
          );
        }
        if (each.errorCode === 0) {
          found.set(each.partition, { offset: Number(each.offset), timestampMs: Number(each.timestamp) });
        }
      }
      if (found.size === partitions.length) {
        return new Map([...found].filter(([, { offset }]) => offset >= 0));
      }
      if (performance.now() - startedAt > PATIENCE_MS) {
        throw (
          away ??
          new ConnectionError(
            `partitions of ${name} have no leader (kafka.brokers), error ${code}: is a broker down?`,
            'kafka.brokers',
          )
        );
      }
      await delay(RETRY_MS);
    }
  }
}

function topicOf(answer: MetadataAnswer['topicMetadata'][number]): ClusterTopic {
  return {
    name: answer.topic,
    isInternal: answer.isInternal,
    partitions: answer.partitionMetadata
      .map(({ partitionId, leader, replicas, isr }) => ({
        partition: partitionId,
        leader,
        replicas,
        inSync: isr,
      }))
      .sort((a, b) => a.partition - b.partition),
  };
}
