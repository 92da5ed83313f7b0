import { DEFAULT_TOPIC_PREFIX } from '@tickline/schemas';

/** What a setting may be. */
export type SettingKind =
  | 'text'
  | 'list'
  | 'boolean'
  | 'milliseconds'
  | 'path'
  | 'secret'
  | 'mechanism'
  | 'integer';

/** One setting of the connection; the names are those of the ingestor's configuration. */
export interface SettingKey {
  readonly path: string;
  readonly kind: SettingKind;
  readonly fallback: unknown;
  /** For `--help`. */
  readonly doc: string;
}

export const SASL_MECHANISMS = ['', 'plain', 'scram-sha-256', 'scram-sha-512'] as const;

/** Every setting of the connection. Secrets are no flags: every user of a machine can read a command line. */
export const SETTING_KEYS: readonly SettingKey[] = [
  {
    path: 'kafka.brokers',
    kind: 'list',
    fallback: [],
    doc: 'brokers to ask first, host:port with commas between',
  },
  {
    path: 'kafka.topicPrefix',
    kind: 'text',
    fallback: DEFAULT_TOPIC_PREFIX,
    doc: 'put before every topic name',
  },
  {
    path: 'kafka.clientId',
    kind: 'text',
    fallback: 'tickline',
    doc: 'the name by which brokers know this program',
  },
  {
    path: 'kafka.requestTimeoutMs',
    kind: 'milliseconds',
    fallback: 30_000,
    doc: 'how long a broker may take to answer',
  },
  { path: 'kafka.ssl.enabled', kind: 'boolean', fallback: false, doc: 'TLS to the brokers; always verified' },
  {
    path: 'kafka.ssl.caFile',
    kind: 'path',
    fallback: '',
    doc: "certificates to trust, PEM; else the system's",
  },
  { path: 'kafka.ssl.certFile', kind: 'path', fallback: '', doc: 'our own certificate, PEM (mTLS)' },
  { path: 'kafka.ssl.keyFile', kind: 'path', fallback: '', doc: 'the key of our own certificate, PEM' },
  {
    path: 'kafka.ssl.keyPassphrase',
    kind: 'secret',
    fallback: '',
    doc: 'passphrase of an encrypted key',
  },
  { path: 'kafka.ssl.keyPassphraseFile', kind: 'path', fallback: '', doc: 'file that holds that passphrase' },
  {
    path: 'kafka.sasl.mechanism',
    kind: 'mechanism',
    fallback: '',
    doc: 'plain, scram-sha-256 or scram-sha-512',
  },
  { path: 'kafka.sasl.username', kind: 'text', fallback: '', doc: 'user name' },
  { path: 'kafka.sasl.usernameFile', kind: 'path', fallback: '', doc: 'file that holds the user name' },
  { path: 'kafka.sasl.password', kind: 'secret', fallback: '', doc: 'password' },
  { path: 'kafka.sasl.passwordFile', kind: 'path', fallback: '', doc: 'file that holds the password' },
  {
    path: 'registry.url',
    kind: 'text',
    fallback: '',
    doc: 'base address of the schema registry (Confluent API)',
  },
  {
    path: 'registry.username',
    kind: 'text',
    fallback: '',
    doc: 'user name, where the registry asks for one',
  },
  { path: 'registry.usernameFile', kind: 'path', fallback: '', doc: 'file that holds the user name' },
  { path: 'registry.password', kind: 'secret', fallback: '', doc: 'password' },
  { path: 'registry.passwordFile', kind: 'path', fallback: '', doc: 'file that holds the password' },
  {
    path: 'registry.caFile',
    kind: 'path',
    fallback: '',
    doc: "certificates to trust, PEM; else the system's",
  },
  {
    path: 'registry.timeoutMs',
    kind: 'milliseconds',
    fallback: 10_000,
    doc: 'how long the registry may take to answer',
  },
  {
    path: 'plaintextHosts',
    kind: 'list',
    fallback: [],
    doc: 'hosts besides this machine that may get a password unencrypted',
  },
];

/** What a topic is compared with by `doctor`, from the ingestor's configuration; no flags and no defaults. */
const EXPECTED_TOPIC_KEYS: readonly SettingKey[] = [
  { path: 'topics.partitions', kind: 'integer', fallback: null, doc: '' },
  { path: 'topics.replication', kind: 'integer', fallback: null, doc: '' },
  { path: 'topics.minInsyncReplicas', kind: 'integer', fallback: null, doc: '' },
];

/** Every setting there is. */
export const ALL_KEYS = [...SETTING_KEYS, ...EXPECTED_TOPIC_KEYS];

/** `kafka.ssl.caFile` → `TICKLINE_KAFKA_SSL_CA_FILE`, as the ingestor's. */
export function environmentName(path: string): string {
  const words = path.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[.-]/g, '_');
  return `TICKLINE_${words.toUpperCase()}`;
}
