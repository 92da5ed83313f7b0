import type { SinkContext } from '../sink-context.ts';
import { type KafkaAccessSettings, readAccess } from './access.ts';
import { KafkaSink } from './kafka-sink.ts';

/** The configuration's section `kafka`, checked. */
export interface KafkaSettings extends KafkaAccessSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly queueBytes: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly compression: 'none' | 'zstd';
  readonly requestTimeoutMs: number;
}

/** The Kafka sink of a configuration. `deadLettersPerSecond`: most frames of an exchange that go to `invalid`. */
export function createKafkaSink(
  settings: KafkaSettings,
  deadLettersPerSecond: number,
  context: Pick<SinkContext, 'log' | 'learnSecret'>,
): KafkaSink {
  const { ssl, sasl, ...rest } = settings;
  return new KafkaSink({
    ...rest,
    deadLettersPerSecond,
    access: () => {
      const access = readAccess({ ssl, sasl });
      // Files change under a running pod: the redactor knows only what was there at the start.
      if (access.sasl !== null) context.learnSecret(access.sasl.password);
      if (typeof access.ssl?.passphrase === 'string') context.learnSecret(access.ssl.passphrase);
      return access;
    },
    log: context.log,
  });
}
