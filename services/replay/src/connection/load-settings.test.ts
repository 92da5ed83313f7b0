import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from './load-settings.ts';
import type { SettingSources } from './setting-sources.ts';
import { SettingsError } from './settings-error.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-settings-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Loads with one broker set, unless a test says otherwise. */
function load(given: Partial<SettingSources> = {}) {
  return loadSettings({
    profile: null,
    profileFile: null,
    configFiles: [],
    env: { XDG_CONFIG_HOME: folder, ...given.env },
    flags: { 'kafka.brokers': 'localhost:9092', ...given.flags },
    ...Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'env' && name !== 'flags')),
  });
}

function refusal(given: Partial<SettingSources>): string {
  try {
    load(given);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('loadSettings', () => {
  it('has defaults for all but brokers', () => {
    expect(load()).toEqual({
      kafka: {
        brokers: ['localhost:9092'],
        clientId: 'tickline',
        topicPrefix: 'md.',
        requestTimeoutMs: 30_000,
        tls: null,
        sasl: null,
      },
      registry: null,
      expectedTopics: { partitions: null, replication: null, minInsyncReplicas: null },
    });
    expect(refusal({ flags: { 'kafka.brokers': '' } })).toMatch(
      /^kafka\.brokers is not set: give --kafka\.brokers host:port, TICKLINE_KAFKA_BROKERS, a profile/,
    );
  });

  it('lets flags win over the environment, over the configuration, over the profile', () => {
    file(
      'tickline/profiles.yaml',
      'default: prod\nprofiles:\n  prod:\n    kafka: { topicPrefix: a., clientId: a, requestTimeoutMs: 1s, brokers: ["a:1"] }\n    registry: { url: "http://a/" }\n  other:\n    kafka: { topicPrefix: o. }\n',
    );
    const configuration = file(
      'ingestor.yaml',
      'shard: { count: 3 }\nkafka: { topicPrefix: b., clientId: ingestor, requestTimeoutMs: 20s, queueBytes: 256MiB }\ntopics: { partitions: 24 }\n',
    );
    const all = {
      configFiles: [configuration],
      env: { TICKLINE_KAFKA_REQUEST_TIMEOUT_MS: '3000', TICKLINE_KAFKA_TOPIC_PREFIX: 'c.' },
      flags: { 'kafka.topicPrefix': 'd.' },
    };
    expect(load(all)).toMatchObject({
      kafka: { topicPrefix: 'd.', requestTimeoutMs: 3000, clientId: 'a' },
      registry: { url: 'http://a' },
      expectedTopics: { partitions: 24 },
    });
    expect(load({ configFiles: [configuration] }).kafka).toMatchObject({
      topicPrefix: 'b.',
      requestTimeoutMs: 20_000,
    });
    expect(load({ profile: 'other' }).kafka.topicPrefix).toBe('o.');
    expect(load({ env: { TICKLINE_PROFILE: 'other' } }).kafka.topicPrefix).toBe('o.');
  });

  it('reads secrets and certificates from files beside the configuration', () => {
    file('secrets/password', 'correct horse\n');
    file('ca.pem', 'CA');
    const configuration = file(
      'ingestor.yaml',
      'kafka:\n  ssl: { enabled: true, caFile: ca.pem }\n  sasl: { mechanism: scram-sha-512, username: reader, passwordFile: secrets/password }\nregistry: { url: "https://r/apis/", username: u, passwordFile: secrets/password, caFile: ca.pem }\n',
    );
    const { kafka, registry } = load({ configFiles: [configuration] });
    expect(kafka.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'reader', password: 'correct horse' });
    expect(kafka.tls).toEqual({ ca: Buffer.from('CA'), cert: null, key: null, passphrase: null });
    expect(registry).toMatchObject({ url: 'https://r/apis', username: 'u', password: 'correct horse' });
    expect(registry?.ca?.toString()).toBe('CA');
  });

  it('refuses what does not fit, naming the setting and who set it', () => {
    expect(refusal({ flags: { 'kafka.brokers': 'localhost' } })).toBe(
      'kafka.brokers must be host:port, is "localhost"',
    );
    expect(refusal({ env: { TICKLINE_KAFKA_REQUEST_TIMEOUT_MS: 'soon' } })).toBe(
      'kafka.requestTimeoutMs must be milliseconds, or a number with ms, s or m; is "soon" (set by TICKLINE_KAFKA_REQUEST_TIMEOUT_MS)',
    );
    expect(refusal({ flags: { 'kafka.ssl.enabled': 'yes' } })).toContain(
      'kafka.ssl.enabled must be true or false',
    );
    expect(refusal({ flags: { 'kafka.sasl.mechanism': 'md5' } })).toContain(
      'must be one of plain, scram-sha-256',
    );
    expect(refusal({ flags: { 'registry.url': 'registry:8081' } })).toContain(
      'registry.url must be an address',
    );
    expect(refusal({ flags: { 'registry.url': 'http://me:secret@r' } })).toMatch(
      /^registry\.url must not hold/,
    );
    expect(refusal({ flags: { 'kafka.ssl.enabled': 'true', 'kafka.ssl.caFile': '/nowhere/ca.pem' } })).toBe(
      'kafka.ssl.caFile names /nowhere/ca.pem, which does not exist',
    );
    expect(refusal({ flags: { 'kafka.ssl.caFile': '/nowhere/ca.pem' } })).toContain(
      'kafka.ssl.enabled is not set',
    );
    expect(refusal({ flags: { 'kafka.sasl.username': 'me' } })).toContain('kafka.sasl.mechanism is not set');
    expect(refusal({ flags: { 'kafka.sasl.mechanism': 'plain', 'kafka.sasl.username': 'me' } })).toContain(
      'TICKLINE_KAFKA_SASL_PASSWORD',
    );
  });

  it('refuses to send a password unencrypted, except where the settings allow it', () => {
    const flags = {
      'kafka.brokers': 'kafka:9092',
      'kafka.sasl.mechanism': 'plain',
      'kafka.sasl.username': 'me',
    };
    const env = { TICKLINE_KAFKA_SASL_PASSWORD: 'p' };
    expect(refusal({ flags, env })).toContain('would send the password to kafka unencrypted');
    expect(refusal({ flags: { ...flags, plaintextHosts: 'kafka' }, env })).toBe('accepted');
    expect(refusal({ flags: { ...flags, 'kafka.brokers': '127.0.0.1:9092' }, env })).toBe('accepted');
    const registry = { 'registry.url': 'http://r', 'registry.username': 'me' };
    expect(refusal({ flags: registry, env: { TICKLINE_REGISTRY_PASSWORD: 'p' } })).toContain(
      'to r unencrypted',
    );
  });

  it('refuses profiles that are not there, unknown settings in them, and secrets', () => {
    expect(refusal({ profile: 'prod' })).toMatch(/profiles\.yaml \(--profile-file\) does not exist$/);
    const profileFile = file(
      'p.yaml',
      'profiles:\n  prod: { kafka: { broker: "a:1" } }\n  open: { registry: { password: x } }\n',
    );
    expect(refusal({ profileFile, profile: 'prd' })).toContain(
      'has no profile prd (--profile): did you mean prod?',
    );
    expect(refusal({ profileFile, profile: 'prod' })).toContain(
      'kafka.broker is not a setting of the connection: did you mean kafka.brokers?',
    );
    expect(refusal({ profileFile, profile: 'open' })).toContain(
      'use registry.passwordFile or TICKLINE_REGISTRY_PASSWORD',
    );
    expect(refusal({ profileFile })).toBe('accepted');
    const broken = file('b.yaml', 'profiles: [\npassword: hunter2');
    expect(refusal({ profileFile: broken })).toMatch(/is not YAML \(line \d+\)$/);
  });
});
