/** How to reach a cluster and a registry: settings with their files read. */
export interface ConnectionSettings {
  readonly kafka: KafkaSettings;
  /** Null: no registry is set; what reads no values can do without. */
  readonly registry: RegistrySettings | null;
}

/** How to reach the brokers. Certificates are always verified. */
export interface KafkaSettings {
  /** host:port, at least one. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Put before every topic name. */
  readonly topicPrefix: string;
  readonly requestTimeoutMs: number;
  /** Null: no TLS. Contents of PEM files; `ca` null: the system's certificates. */
  readonly tls: TlsSettings | null;
  /** Null: no login. */
  readonly sasl: SaslSettings | null;
}

/** PEM contents. */
export interface TlsSettings {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** Of an encrypted key; null: it is not encrypted. */
  readonly passphrase: string | null;
}

/** A login by user name and password. */
export interface SaslSettings {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How to reach the schema registry (Confluent API). */
export interface RegistrySettings {
  /** Base address without a slash at its end. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** PEM content; null: the system's certificates. */
  readonly ca: Buffer | null;
  readonly timeoutMs: number;
}
