import { setTimeout as delay } from 'node:timers/promises';
import type { FleetConfig } from '../config.ts';
import { RegistryLoginError, RegistryTlsError } from '../registry-client.ts';
import { resolveSchemaIds, SchemasMissingError } from '../schema-ids.ts';
import { createKafkaSink } from '../sinks/kafka/settings.ts';
import { SinkRefusedError } from '../sinks/sink.ts';
import { SILENT_LOG } from '../sinks/sink-log.ts';
import { KafkaRefusedError, reachKafka } from './kafka-access.ts';

/** What became of the attempt to use the outputs, in sentences. */
export interface CheckedOutputs {
  /** Somebody has to change something: a setting, a right, a topic, a schema. */
  readonly refusals: readonly string[];
  /** Did not answer. */
  readonly failures: readonly string[];
}

const REFUSALS = [
  KafkaRefusedError,
  SinkRefusedError,
  SchemasMissingError,
  RegistryLoginError,
  RegistryTlsError,
] as const;

/**
 * Does what `run` does at its start with Kafka and the schema registry, side by side: log in, look for topics,
 * rights and schemas, take a producer id. Nothing is written. Rejects only when `signal` is aborted.
 */
export async function checkOutputs(config: FleetConfig, signal: AbortSignal): Promise<CheckedOutputs> {
  const { kafka, redis } = config;
  const avro = [redis.streams, redis.pubsub].some(({ enabled, format }) => enabled && format === 'avro');
  const attempts: Promise<unknown>[] = [];
  if (kafka.enabled) attempts.push(kafkaAnswers(config, signal));
  if (kafka.enabled || avro) attempts.push(resolveSchemaIds(config, signal));
  const refusals: string[] = [];
  const failures: string[] = [];
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === 'fulfilled') continue;
    const error: unknown = attempt.reason;
    const list = REFUSALS.some((refusal) => error instanceof refusal) ? refusals : failures;
    list.push(error instanceof Error ? error.message : String(error));
  }
  signal.throwIfAborted();
  return { refusals, failures };
}

async function kafkaAnswers({ kafka }: FleetConfig, signal: AbortSignal): Promise<void> {
  await reachKafka(kafka, signal);
  const sink = createKafkaSink(kafka, 0, { log: SILENT_LOG, learnSecret: () => undefined });
  const ended = new AbortController();
  const late = delay(kafka.requestTimeoutMs, undefined, { signal: AbortSignal.any([signal, ended.signal]) });
  try {
    const nobody = { full() {}, drained() {}, lost() {}, repeated() {} };
    await Promise.race([
      sink.start(nobody),
      late.then(() => {
        throw new Error(`Kafka did not give a producer id within kafka.requestTimeoutMs`);
      }),
    ]);
  } finally {
    ended.abort();
    late.catch(() => undefined);
    await sink.close();
  }
}
