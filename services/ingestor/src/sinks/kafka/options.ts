import { TOPICS, type Topic } from '@tickline/schemas';
import { type Clock, systemClock } from '../clock.ts';
import type { SinkLog } from '../sink-log.ts';
import type { KafkaAccess } from './access.ts';

/** Settings of the Kafka sink; the names are those of the configuration's section `kafka`. */
export interface KafkaSinkOptions {
  /** host:port of brokers to ask first. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Asked before each new connection, so that what changes on disk is used by the next; what it throws is a failed connection. */
  readonly access: () => KafkaAccess;
  readonly topicPrefix: string;
  /** Most memory that waits for the brokers. Default 128 MiB. */
  readonly queueBytes?: number;
  /** Most in one batch, at most a sixteenth of the queue. Default 512 KiB. */
  readonly batchBytes?: number;
  /** Longest that a record waits for others before its batch may go. Default 5. */
  readonly lingerMs?: number;
  readonly compression?: 'none' | 'zstd';
  /** How long a broker may take to answer. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Dead letters a second and exchange; more are dropped and counted. Default 10. */
  readonly deadLettersPerSecond?: number;
  /** How long a partition may be unknown to the brokers before it is set aside. Default 30,000. */
  readonly unknownTopicMs?: number;
  /** How often leaders are asked for when nothing fails. Default 5 minutes. */
  readonly metadataMaxAgeMs?: number;
  /** Topics that must be there, without prefix. Default all. */
  readonly topics?: readonly Topic[];
  readonly log: SinkLog;
  readonly clock?: Clock;
  /** From 0 to 1, for the spread of retries. */
  readonly random?: () => number;
}

/** The options with what is left out filled in. */
export type ResolvedKafkaOptions = Required<KafkaSinkOptions>;

export function withDefaults(options: KafkaSinkOptions): ResolvedKafkaOptions {
  return {
    queueBytes: 128 * 1024 * 1024,
    batchBytes: 512 * 1024,
    lingerMs: 5,
    compression: 'none',
    requestTimeoutMs: 30_000,
    deadLettersPerSecond: 10,
    unknownTopicMs: 30_000,
    metadataMaxAgeMs: 300_000,
    topics: TOPICS,
    clock: systemClock,
    random: Math.random,
    ...options,
  };
}
