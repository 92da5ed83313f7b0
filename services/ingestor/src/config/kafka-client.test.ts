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

function clientConfig(yaml: string, env: Record<string, string> = {}) {
  const path = join(folder, 'kafka.yaml');
  writeFileSync(path, yaml);
  return kafkaClientConfig(loadSections(readCommandLine(['--config', path]), env, ['kafka']).kafka);
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
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), name);
    const { ssl } = clientConfig(
      'kafka: {brokers: ["a:1"], ssl: {enabled: true, caFile: ca.pem, certFile: cert.pem, keyFile: key.pem}}',
    );
    expect(ssl).toEqual({
      rejectUnauthorized: true,
      ca: [Buffer.from('ca')],
      cert: Buffer.from('cert'),
      key: Buffer.from('key'),
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
