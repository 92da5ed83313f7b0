import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SinkLog } from '../sink-log.ts';
import { KafkaSink } from './kafka-sink.ts';
import type { KafkaSasl } from './options.ts';

/** The configuration's section `kafka`, checked. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly queueBytes: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly compression: 'none' | 'zstd';
  readonly requestTimeoutMs: number;
  readonly ssl: {
    readonly enabled: boolean;
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  };
  readonly sasl: {
    /** Empty: no login. */
    readonly mechanism: '' | KafkaSasl['mechanism'];
    readonly username: string | null;
    readonly password: string | null;
  };
}

/** The Kafka sink of a configuration. `deadLettersPerSecond`: most frames of an exchange that go to `invalid`. */
export function createKafkaSink(
  settings: KafkaSettings,
  deadLettersPerSecond: number,
  log: SinkLog,
): KafkaSink {
  const { ssl, sasl, ...rest } = settings;
  return new KafkaSink({ ...rest, deadLettersPerSecond, ssl: tlsOf(ssl), sasl: loginOf(sasl), log });
}

function tlsOf({ enabled, caFile, certFile, keyFile }: KafkaSettings['ssl']): ConnectionOptions | null {
  if (!enabled) return null;
  return {
    ...(caFile === null ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === null ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === null ? {} : { key: readFileSync(keyFile) }),
  };
}

function loginOf({ mechanism, username, password }: KafkaSettings['sasl']): KafkaSasl | null {
  if (mechanism === '') return null;
  return { mechanism, username: username ?? '', password: password ?? '' };
}
