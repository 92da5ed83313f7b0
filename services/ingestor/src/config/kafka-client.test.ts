import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSections, readCommandLine } from '../config.ts';
import { kafkaClientConfig } from './kafka-client.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-kafka-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function section(yaml: string, env: Record<string, string> = {}) {
  const path = join(folder, 'kafka.yaml');
  writeFileSync(path, yaml);
  return loadSections(readCommandLine(['--config', path]), env, ['kafka']).kafka;
}

function clientConfig(yaml: string, env: Record<string, string> = {}) {
  return kafkaClientConfig(section(yaml, env));
}

describe('kafkaClientConfig', () => {
  it('is plain by default', () => {
    const config = clientConfig('kafka: {brokers: ["a:1", "b:2"], requestTimeoutMs: 5s}');
    expect(config).toMatchObject({
      brokers: ['a:1', 'b:2'],
      clientId: 'tickline-ingestor',
      requestTimeout: 5000,
    });
    expect(config.ssl).toBeUndefined();
    expect(config.sasl).toBeUndefined();
  });

  it('verifies certificates, by our own authority where one is named', () => {
    const files = ['ca', 'cert', 'key'].map((name) => {
      writeFileSync(join(folder, name), name);
      return join(folder, name);
    });
    const [caFile = '', certFile = '', keyFile = ''] = files;
    const kafka = section('kafka: {brokers: ["a:1"], ssl: {enabled: true}}');
    const named = { ...kafka, ssl: { ...kafka.ssl, caFile, certFile, keyFile, keyPassphrase: 'open' } };
    expect(kafkaClientConfig(named).ssl).toEqual({
      rejectUnauthorized: true,
      ca: [Buffer.from('ca')],
      cert: Buffer.from('cert'),
      key: Buffer.from('key'),
      passphrase: 'open',
    });
    expect(clientConfig('kafka: {brokers: ["a:1"], ssl: {enabled: true}}').ssl).toEqual({
      rejectUnauthorized: true,
    });
  });

  it('logs in', () => {
    const { sasl } = clientConfig(
      'kafka: {brokers: ["a:1"], sasl: {mechanism: scram-sha-256, username: tick}}',
      { TICKLINE_KAFKA_SASL_PASSWORD: 'secret' },
    );
    expect(sasl).toEqual({ mechanism: 'scram-sha-256', username: 'tick', password: 'secret' });
  });
});
