import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaConfig } from '../config.ts';
import { principalOf, readAccess } from '../sinks/kafka/access.ts';
import { BridgeError } from '../sinks/kafka/bridge.ts';
import { KafkajsBridge } from '../sinks/kafka/kafkajs-bridge.ts';
import { withDefaults } from '../sinks/kafka/options.ts';
import { SILENT_LOG } from '../sinks/sink-log.ts';

/** Kafka does not let us in, or not do this, until somebody changes what the message names. */
export class KafkaRefusedError extends Error {
  override name = 'KafkaRefusedError';
}

/** Waits between the attempts to reach Kafka, milliseconds: a person, or a Job, waits for the answer. */
const RETRY_MS: readonly number[] = [200, 400, 800, 1_600];
const AUTHORIZATION_ERRORS: ReadonlySet<unknown> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

/**
 * Connects and logs in the way that the sink does, and ends the connection, so that whatever stands in the way is
 * told in the same words before kafkajs tries for itself. Rejects with KafkaRefusedError, or an Error after some
 * attempts.
 */
export async function reachKafka(kafka: KafkaConfig, signal: AbortSignal): Promise<void> {
  const { brokers, clientId, topicPrefix, requestTimeoutMs } = kafka;
  const access = () => readAccess(kafka);
  const bridge = new KafkajsBridge(
    withDefaults({ brokers, clientId, topicPrefix, requestTimeoutMs, access, log: SILENT_LOG }),
  );
  try {
    for (const waitMs of [...RETRY_MS, null]) {
      try {
        await bridge.metadata([]);
        return;
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        if (error.setting !== null) throw new KafkaRefusedError(error.message, { cause: error });
        if (waitMs === null) {
          throw new Error(`can't reach Kafka at ${brokers.join(', ')} (kafka.brokers): ${error.message}`);
        }
        await delay(waitMs, undefined, { signal });
      }
    }
  } finally {
    await bridge.close();
  }
}

/**
 * What kafkajs' error means when it is about rights, else the error as it is. `rights`: what to allow, as in
 * `Read on the topic md.trades`.
 */
export function withRights(error: unknown, kafka: KafkaConfig, rights: string): unknown {
  return isAboutRights(error)
    ? new KafkaRefusedError(
        `${principalOf(readAccess(kafka))} lacks a right in Kafka: add ACLs that allow it ${rights}`,
        { cause: error },
      )
    : error;
}

/** kafkajs has one error for each topic within one for all, and wraps what it has tried often. */
function isAboutRights(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('type' in error && AUTHORIZATION_ERRORS.has(error.type)) return true;
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return [...inner, error.cause].some(isAboutRights);
}
