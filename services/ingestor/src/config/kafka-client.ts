import { readFileSync } from 'node:fs';
import { type KafkaConfig as KafkaClientConfig, logLevel, type SASLOptions } from 'kafkajs';
import type { KafkaConfig } from '../config.ts';

/** How kafkajs reaches the brokers by our configuration; certificates are always verified. */
export function kafkaClientConfig(kafka: KafkaConfig): KafkaClientConfig {
  const sasl = saslOptions(kafka.sasl);
  return {
    clientId: kafka.clientId,
    brokers: [...kafka.brokers],
    requestTimeout: kafka.requestTimeoutMs,
    connectionTimeout: Math.min(10_000, kafka.requestTimeoutMs),
    // Errors reach people through us, with the setting named.
    logLevel: logLevel.NOTHING,
    ...(kafka.ssl.enabled ? { ssl: tlsOptions(kafka.ssl) } : {}),
    ...(sasl === null ? {} : { sasl }),
  };
}

function tlsOptions({ caFile, certFile, keyFile }: KafkaConfig['ssl']) {
  return {
    rejectUnauthorized: true,
    ...(caFile === null ? {} : { ca: [readFileSync(caFile)] }),
    ...(certFile === null ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === null ? {} : { key: readFileSync(keyFile) }),
  };
}

function saslOptions({ mechanism, username, password }: KafkaConfig['sasl']): SASLOptions | null {
  if (mechanism === '' || username === null || password === null) return null;
  return { mechanism, username, password };
}
