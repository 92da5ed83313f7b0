import { type KafkaConfig as KafkaClientConfig, logLevel } from 'kafkajs';
import type { KafkaConfig } from '../config.ts';
import { readAccess } from '../sinks/kafka/access.ts';

/** How kafkajs reaches the brokers by our configuration; certificates are always verified. */
export function kafkaClientConfig(kafka: KafkaConfig): KafkaClientConfig {
  const { ssl, sasl } = readAccess(kafka);
  return {
    clientId: kafka.clientId,
    brokers: [...kafka.brokers],
    requestTimeout: kafka.requestTimeoutMs,
    connectionTimeout: Math.min(10_000, kafka.requestTimeoutMs),
    // Errors reach people through us, with the setting named.
    logLevel: logLevel.NOTHING,
    ...(ssl === null ? {} : { ssl }),
    // kafkajs' type has a case for each mechanism.
    ...(sasl === null ? {} : { sasl: { ...sasl } as NonNullable<KafkaClientConfig['sasl']> }),
  };
}
