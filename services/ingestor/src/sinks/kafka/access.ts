import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

/** How the sink logs in, as kafkajs takes it. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** By what a connection to a broker is made. */
export interface KafkaAccess {
  /** Null: no TLS. Certificates are always verified. */
  readonly ssl: ConnectionOptions | null;
  /** Null: no login. */
  readonly sasl: KafkaSasl | null;
}

/** The part of the configuration's section `kafka` that is about access. */
export interface KafkaAccessSettings {
  readonly ssl: {
    readonly enabled: boolean;
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
    readonly keyPassphrase: string | null;
    readonly keyPassphraseFile: string | null;
  };
  readonly sasl: {
    /** Empty: no login. */
    readonly mechanism: '' | KafkaSasl['mechanism'];
    readonly username: string | null;
    readonly usernameFile: string | null;
    readonly password: string | null;
    readonly passwordFile: string | null;
  };
}

/**
 * Reads the files that the settings name as they are now: Kubernetes changes those of a Secret under a running
 * pod. Values without a file are those of the configuration. Throws an Error that names the setting.
 */
export function readAccess({ ssl, sasl }: KafkaAccessSettings): KafkaAccess {
  return { ssl: ssl.enabled ? tlsOf(ssl) : null, sasl: sasl.mechanism === '' ? null : loginOf(sasl) };
}

/** Who brokers take us for, as errors say it. */
export function principalOf({ ssl, sasl }: KafkaAccess): string {
  if (sasl !== null) return `the user ${sasl.username} (kafka.sasl.username)`;
  return ssl?.cert === undefined
    ? 'the anonymous user (kafka.sasl is not set)'
    : 'the owner of the certificate (kafka.ssl.certFile)';
}

function tlsOf(ssl: KafkaAccessSettings['ssl']): ConnectionOptions {
  const { caFile, certFile, keyFile, keyPassphrase, keyPassphraseFile } = ssl;
  const passphrase = current('kafka.ssl.keyPassphraseFile', keyPassphraseFile, keyPassphrase);
  return {
    rejectUnauthorized: true,
    ...(caFile === null ? {} : { ca: [contentOf('kafka.ssl.caFile', caFile)] }),
    ...(certFile === null ? {} : { cert: contentOf('kafka.ssl.certFile', certFile) }),
    ...(keyFile === null ? {} : { key: contentOf('kafka.ssl.keyFile', keyFile) }),
    ...(passphrase === null ? {} : { passphrase }),
  };
}

function loginOf(sasl: KafkaAccessSettings['sasl']): KafkaSasl | null {
  const { mechanism, usernameFile, passwordFile } = sasl;
  if (mechanism === '') return null;
  return {
    mechanism,
    username: current('kafka.sasl.usernameFile', usernameFile, sasl.username) ?? '',
    password: current('kafka.sasl.passwordFile', passwordFile, sasl.password) ?? '',
  };
}

/** The text in a file, or what the configuration has where none is named. */
function current(setting: string, file: string | null, value: string | null): string | null {
  return file === null
    ? value
    : contentOf(setting, file)
        .toString('utf8')
        .replace(/\r?\n$/, '');
}

function contentOf(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${setting} names ${file}, which can't be read: ${reason}`, { cause: error });
  }
}
