import { createGrpcSink, type GrpcSettings } from './grpc/settings.ts';
import { createKafkaSink, type KafkaSettings } from './kafka/settings.ts';
import { createRedisPubSubSink, createRedisStreamsSink, type RedisSettings } from './redis/settings.ts';
import type { Sink } from './sink.ts';
import type { SinkContext } from './sink-context.ts';

/** The parts of the configuration that are about sinks. */
export interface SinkSettings {
  readonly kafka: KafkaSettings & { readonly enabled: boolean };
  readonly redis: RedisSettings;
  readonly grpc: GrpcSettings;
  readonly invalidPerSecond: number;
}

type SinkFactory = (settings: SinkSettings, context: SinkContext) => Sink | null;

/** Every kind of sink: a folder beside this file, and a line here. Null: the configuration does not ask for it. */
const FACTORIES: readonly SinkFactory[] = [
  ({ kafka, invalidPerSecond }, context) =>
    kafka.enabled ? createKafkaSink(kafka, invalidPerSecond, context) : null,
  ({ redis }, { log }) => createRedisStreamsSink(redis, log),
  ({ redis }, { log }) => createRedisPubSubSink(redis, log),
  ({ grpc }, context) => createGrpcSink(grpc, context),
];

/** The sinks that a configuration asks for, not started yet. */
export function createSinks(settings: SinkSettings, context: SinkContext): readonly Sink[] {
  return FACTORIES.flatMap((create) => create(settings, context) ?? []);
}
