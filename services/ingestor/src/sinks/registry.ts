import { createKafkaSink, type KafkaSettings } from './kafka/settings.ts';
import type { Sink } from './sink.ts';
import type { SinkLog } from './sink-log.ts';

/** The parts of the configuration that are about sinks. */
export interface SinkSettings {
  readonly kafka: KafkaSettings;
  readonly invalidPerSecond: number;
}

/** Every kind of sink: a folder beside this file, and a line here. Null: the configuration does not ask for it. */
const FACTORIES: readonly ((settings: SinkSettings, log: SinkLog) => Sink | null)[] = [
  ({ kafka, invalidPerSecond }, log) => createKafkaSink(kafka, invalidPerSecond, log),
];

/** The sinks that a configuration asks for, not started yet. */
export function createSinks(settings: SinkSettings, log: SinkLog): readonly Sink[] {
  return FACTORIES.flatMap((create) => create(settings, log) ?? []);
}
