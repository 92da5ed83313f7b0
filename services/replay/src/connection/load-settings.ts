import type {
  ConnectionSettings,
  KafkaSettings,
  RegistrySettings,
  SaslSettings,
} from './connection-settings.ts';
import { collectSettings, type SettingSources } from './setting-sources.ts';
import { SettingValues } from './setting-values.ts';
import { SettingsError } from './settings-error.ts';
import { environmentName } from './settings-keys.ts';

/** What `doctor` expects of topics, where a configuration of the ingestor says it. */
export interface ExpectedTopics {
  readonly partitions: number | null;
  readonly replication: number | null;
  readonly minInsyncReplicas: number | null;
}

/** All settings, with the files that they name read. */
export interface LoadedSettings extends ConnectionSettings {
  readonly expectedTopics: ExpectedTopics;
}

/** Collects the settings of all sources, checks them and reads their files. Throws SettingsError. */
export function loadSettings(sources: SettingSources): LoadedSettings {
  return settingsOf(new SettingValues(collectSettings(sources)));
}

function settingsOf(values: SettingValues): LoadedSettings {
  const plaintextHosts = values.list('plaintextHosts');
  return {
    kafka: kafkaOf(values, plaintextHosts),
    registry: registryOf(values, plaintextHosts),
    expectedTopics: {
      partitions: values.integerOrNull('topics.partitions'),
      replication: values.integerOrNull('topics.replication'),
      minInsyncReplicas: values.integerOrNull('topics.minInsyncReplicas'),
    },
  };
}

function kafkaOf(values: SettingValues, plaintextHosts: readonly string[]): KafkaSettings {
  const brokers = values.list('kafka.brokers');
  if (brokers.length === 0) {
    throw new SettingsError(
      `kafka.brokers is not set: give --kafka.brokers host:port, ${environmentName('kafka.brokers')}, a profile (--profile) or the ingestor's configuration (--config)`,
    );
  }
  for (const address of brokers) {
    if (!/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@,[\]]+):\d{1,5}$/.test(address)) {
      throw values.refusal('kafka.brokers', `must be host:port, is ${JSON.stringify(address)}`);
    }
  }
  const sasl = saslOf(values);
  const tls = values.flag('kafka.ssl.enabled')
    ? {
        ca: values.file('kafka.ssl.caFile'),
        cert: values.file('kafka.ssl.certFile'),
        key: values.file('kafka.ssl.keyFile'),
        passphrase: values.textOrFile('kafka.ssl.keyPassphrase'),
      }
    : null;
  if (
    tls === null &&
    ['caFile', 'certFile', 'keyFile'].some((name) => values.textOrNull(`kafka.ssl.${name}`) !== null)
  ) {
    throw new SettingsError(
      'kafka.ssl has files, but kafka.ssl.enabled is not set: set it to true, or take the files out',
    );
  }
  if (tls !== null && (tls.cert === null) !== (tls.key === null)) {
    throw new SettingsError('kafka.ssl.certFile and kafka.ssl.keyFile belong together: set both or none');
  }
  const hosts = brokers.map((address) => address.slice(0, address.lastIndexOf(':')));
  const open = hosts.find((host) => !isTrusted(host, plaintextHosts));
  if (sasl?.mechanism === 'plain' && tls === null && open !== undefined) {
    throw new SettingsError(
      `kafka.sasl.mechanism plain would send the password to ${open} unencrypted: set kafka.ssl.enabled, or name the host in plaintextHosts`,
    );
  }
  return {
    brokers,
    clientId: values.text('kafka.clientId'),
    topicPrefix: values.text('kafka.topicPrefix'),
    requestTimeoutMs: values.milliseconds('kafka.requestTimeoutMs'),
    tls,
    sasl,
  };
}

function saslOf(values: SettingValues): SaslSettings | null {
  const mechanism = values.text('kafka.sasl.mechanism');
  const username = values.textOrFile('kafka.sasl.username');
  const password = values.textOrFile('kafka.sasl.password');
  if (mechanism === '') {
    if (username === null && password === null) return null;
    throw new SettingsError(
      'kafka.sasl has a user, but kafka.sasl.mechanism is not set: give it, or take the user out',
    );
  }
  if (username === null || password === null) {
    const lacking = username === null ? 'username' : 'password';
    throw new SettingsError(
      `kafka.sasl.${lacking} is not set, and kafka.sasl.mechanism is ${mechanism}: give kafka.sasl.${lacking}File or ${environmentName(`kafka.sasl.${lacking}`)}`,
    );
  }
  return { mechanism: mechanism as SaslSettings['mechanism'], username, password };
}

function registryOf(values: SettingValues, plaintextHosts: readonly string[]): RegistrySettings | null {
  const given = values.textOrNull('registry.url');
  if (given === null) return null;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw values.refusal(
      'registry.url',
      `must be an address, http:// or https://; is ${JSON.stringify(given)}`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw values.refusal(
      'registry.url',
      'must not hold a user name or password: use registry.username and registry.passwordFile',
    );
  }
  const username = values.textOrFile('registry.username');
  const password = values.textOrFile('registry.password');
  if (password !== null && username === null) {
    throw new SettingsError('registry.password is set, but registry.username is not');
  }
  if (password !== null && url.protocol === 'http:' && !isTrusted(url.hostname, plaintextHosts)) {
    throw new SettingsError(
      `registry.url would send the password to ${url.hostname} unencrypted: use https://, or name the host in plaintextHosts`,
    );
  }
  return {
    url: given.replace(/\/+$/, ''),
    username,
    password,
    ca: values.file('registry.caFile'),
    timeoutMs: values.milliseconds('registry.timeoutMs'),
  };
}

/** Whether a host may get a password unencrypted: this machine itself, and what the settings name. */
function isTrusted(host: string, plaintextHosts: readonly string[]): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127\./.test(bare) || plaintextHosts.includes(bare);
}
