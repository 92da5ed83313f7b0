import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCommand } from '../../services/ingestor/src/commands/check.ts';
import { provisionCommand } from '../../services/ingestor/src/commands/provision.ts';
import { runCommand } from '../../services/ingestor/src/commands/run.ts';
import {
  allow,
  PASSWORDS,
  provisionRights,
  SecretFolder,
  type SecuredServers,
  type Settings,
  securedFlags,
  startSecuredServers,
  topicAcl,
  withdraw,
} from './secured-servers.ts';

let servers: SecuredServers;
let folder: SecretFolder;

const PREFIX = 'refusals.';

beforeAll(async () => {
  servers = await startSecuredServers();
  folder = new SecretFolder();
  const rights = provisionRights(PREFIX);
  await allow(servers.admin, rights);
  expect(await provision(settings(folder.login('provisioner')))).toEqual({ code: 0, complaints: [] });
});

afterAll(async () => {
  await servers?.stop();
  folder?.remove();
});

/** What works, but for rights: a test changes one thing. */
function settings(changes: Settings): string[] {
  return securedFlags(servers, folder, PREFIX, {
    'shard.index': '0',
    'shard.count': '1',
    'exchanges.okx.symbols': 'BTC-USDT',
    'exchanges.okx.endpoints.rest': 'http://127.0.0.1:1',
    'exchanges.okx.endpoints.websocket': 'ws://127.0.0.1:1',
    'status.port': '0',
    'metrics.port': '0',
    ...changes,
  });
}

interface Ended {
  readonly code: number;
  /** What a person reads of what is wrong, a line each. */
  readonly complaints: readonly string[];
}

type ShortCommand = typeof provisionCommand;

async function short(command: ShortCommand, argv: readonly string[]): Promise<Ended> {
  let complaints = '';
  const code = await command(argv, {
    stdout: { write: () => true },
    stderr: { write: (text) => (complaints += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { code, complaints: complaints.split('\n').filter((line) => line !== '') };
}

const provision = (argv: readonly string[]) => short(provisionCommand, argv);
const check = (argv: readonly string[]) => short(checkCommand, ['--offline', '--connect', ...argv]);

async function run(argv: readonly string[]): Promise<Ended> {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const code = await runCommand(argv, { env: {}, stdout: stream, stderr: stream, version: 'test' });
  const complaints = text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      if (!line.startsWith('{')) return [line];
      const { level, error } = JSON.parse(line) as { level: string; error?: string };
      return level === 'info' ? [] : [String(error)];
    });
  return { code, complaints };
}

/** Each command ends by itself with exit code 2 and one line that says this. */
async function refuses(
  commands: readonly ('check' | 'provision' | 'run')[],
  changes: Settings,
  message: RegExp,
): Promise<void> {
  const argv = settings(changes);
  const all = { check, provision, run };
  for (const name of commands) {
    const { code, complaints } = await all[name](argv);
    // A refused configuration is a list under a heading, here of one.
    const errors = complaints.filter((line) => line !== 'the configuration has a problem:');
    expect(errors, name).toEqual([expect.stringMatching(message)]);
    expect(code, name).toBe(2);
    for (const secret of Object.values(PASSWORDS)) expect(errors[0]).not.toContain(secret);
  }
}

const ALL = ['check', 'provision', 'run'] as const;

describe('one clear error that names the setting, and exit code 2', () => {
  const wrongPassword = (mechanism: string) => () => ({
    'kafka.sasl.mechanism': mechanism,
    'kafka.sasl.passwordFile': folder.file('wrong', PASSWORDS.stranger),
  });
  const none = { 'kafka.sasl.mechanism': null, 'kafka.sasl.username': null, 'kafka.sasl.passwordFile': null };
  const noTls = { 'kafka.ssl.enabled': null, 'kafka.ssl.caFile': null };
  const mutual = (which: 'client' | 'expiredClient' | 'strangeClient'): Settings => ({
    ...none,
    'kafka.brokers': servers.kafka.mutual,
    'kafka.ssl.certFile': servers.kafka[which].cert,
    'kafka.ssl.keyFile': servers.kafka[which].key,
  });
  const at = (door: 'expired' | 'otherHost' | 'noScram512' | 'mutual' | 'open', more: Settings = {}) => {
    return () => ({ 'kafka.brokers': servers.kafka[door], ...more });
  };

  it.each<[string, () => Settings, RegExp]>([
    [
      'a wrong password by PLAIN',
      wrongPassword('plain'),
      /refuses the login by kafka\.sasl: .* kafka\.sasl\.passwordFile/,
    ],
    [
      'by SCRAM-SHA-256',
      wrongPassword('scram-sha-256'),
      /refuses the login by kafka\.sasl: .*mechanism is scram-sha-256/,
    ],
    [
      'by SCRAM-SHA-512',
      wrongPassword('scram-sha-512'),
      /refuses the login by kafka\.sasl: .* kafka\.sasl\.passwordFile/,
    ],
    [
      'an unknown user',
      () => ({ 'kafka.sasl.username': 'nobody' }),
      /refuses the login by kafka\.sasl: .* kafka\.sasl\.username/,
    ],
    [
      'a mechanism that the listener has not',
      at('noScram512'),
      /does not offer scram-sha-512 \(kafka\.sasl\.mechanism\): it offers .*SCRAM-SHA-256/,
    ],
    [
      'no login where one is asked for',
      () => none,
      /asks for a login \(.*PLAIN.*\): set kafka\.sasl\.mechanism/,
    ],
    [
      'a login where none is taken',
      at('open', noTls),
      /takes no login on this listener: leave kafka\.sasl\.mechanism empty/,
    ],
    ['a certificate of the broker that expired', at('expired'), /certificate .*has expired.* kafka\.ssl/],
    [
      'a certificate for another host',
      at('otherHost'),
      /certificate is not for 127\.0\.0\.1: .*kafka\.brokers/,
    ],
    [
      'another authority',
      () => ({ 'kafka.ssl.caFile': servers.kafka.otherCa }),
      /not signed by an authority in kafka\.ssl\.caFile/,
    ],
    [
      'an authority that nobody named',
      () => ({ 'kafka.ssl.caFile': null }),
      /unknown here .*: name its certificate in kafka\.ssl\.caFile/,
    ],
    [
      'no certificate of ours where one is asked for',
      at('mutual', none),
      /asks for a certificate of ours: set kafka\.ssl\.certFile/,
    ],
    [
      'a certificate of ours that the broker does not trust',
      () => mutual('strangeClient'),
      /refuses our certificate of kafka\.ssl\.certFile .*trusts/,
    ],
    [
      'a certificate of ours that expired',
      () => mutual('expiredClient'),
      /kafka\.ssl\.certFile names .*late-cert\.pem, which expired on \d{4}-/,
    ],
    [
      'a key that is not that of the certificate',
      () => ({ ...mutual('client'), 'kafka.ssl.keyFile': servers.kafka.strangeClient.key }),
      /kafka\.ssl\.keyFile names .*, which is not the key of certFile/,
    ],
    [
      'an encrypted key without passphrase',
      () => ({ ...mutual('client'), 'kafka.ssl.keyFile': servers.kafka.clientWithPassphrase.key }),
      /kafka\.ssl\.keyFile .* encrypted key: name the file of its passphrase in keyPassphraseFile/,
    ],
    [
      'the wrong passphrase',
      () => ({
        ...mutual('client'),
        'kafka.ssl.keyFile': servers.kafka.clientWithPassphrase.key,
        'kafka.ssl.keyPassphraseFile': folder.file('passphrase', 'wrong'),
      }),
      /kafka\.ssl\.keyFile .* that keyPassphraseFile does not open/,
    ],
    [
      'a file that holds no certificate',
      () => ({ 'kafka.ssl.caFile': servers.kafka.client.key }),
      /kafka\.ssl\.caFile names .*, which holds no certificate/,
    ],
    ['plaintext to a TLS listener', () => noTls, /speaks TLS: set kafka\.ssl\.enabled/],
    [
      'TLS to a plaintext listener',
      at('open', none),
      /kafka\.ssl\.enabled is set, but .* does not speak TLS/,
    ],
  ])('%s', async (_what, changes, message) => {
    await refuses(ALL, changes(), message);
  });

  it.each<[string, () => Settings, RegExp]>([
    [
      'a wrong password of the registry',
      () => ({ 'registry.passwordFile': folder.file('wrong', PASSWORDS.stranger) }),
      /refuses the login of tickline \(401\): check registry\.username and registry\.passwordFile/,
    ],
    [
      'no login to the registry',
      () => ({ 'registry.username': null, 'registry.passwordFile': null }),
      /asks for a login \(401\): set registry\.username and registry\.passwordFile/,
    ],
    [
      'a user who may do nothing in the registry',
      () => ({
        'registry.username': 'stranger',
        'registry.passwordFile': folder.file('stranger', PASSWORDS.stranger),
      }),
      /does not let stranger \(registry\.username\) do this \(403\)/,
    ],
    [
      'another authority of the registry',
      () => ({ 'registry.caFile': servers.registry.otherCa }),
      /registry\.url.*not signed by an authority in registry\.caFile/,
    ],
    [
      'https to a plaintext port',
      () => ({ 'registry.url': servers.registry.url.replace('http:', 'https:') }),
      /registry\.url\) does not speak TLS there/,
    ],
  ])('%s', async (_what, changes, message) => {
    // Only once the rest is in order does a command come to the registry.
    await allow(servers.admin, [topicAcl('pod', 'WRITE', PREFIX)]);
    await refuses(['check', 'run'], changes(), message);
    await refuses(['provision'], { ...changes(), ...folder.login('provisioner') }, message);
    await withdraw(servers.admin, [topicAcl('pod', 'WRITE', PREFIX)]);
  });
});

describe('a right that is lacking', () => {
  it('to see the topics', async () => {
    await refuses(
      ['check', 'run'],
      folder.login('stranger'),
      /^the user stranger \(kafka\.sasl\.username\) may not see the topic refusals\.trades \(kafka\.topicPrefix\): add an ACL that allows it Write/,
    );
  });

  it('to write one of them', async () => {
    const acls = [topicAcl('pod', 'DESCRIBE', PREFIX), topicAcl('pod', 'WRITE', `${PREFIX}trades`)];
    await allow(servers.admin, acls);
    await refuses(
      ['check', 'run'],
      {},
      /^the user pod .* may not write to the topic refusals\.quotes .*Write/,
    );
    await withdraw(servers.admin, acls);
  });

  it.each<['CREATE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS', boolean]>([
    ['CREATE', false],
    ['DESCRIBE', false],
    ['DESCRIBE_CONFIGS', true],
  ])('%s, for provision', async (right, hasTopics) => {
    const prefix = `lacks-${right.toLowerCase()}.`;
    const changes = { ...folder.login('provisioner'), 'kafka.topicPrefix': prefix };
    await allow(servers.admin, provisionRights(prefix));
    if (hasTopics) expect(await provision(settings(changes))).toMatchObject({ code: 0 });
    await withdraw(servers.admin, [topicAcl('provisioner', right, prefix)]);
    await refuses(
      ['provision'],
      changes,
      /^the user provisioner .* lacks a right in Kafka: add ACLs that allow it Create, Describe and DescribeConfigs on the topics with the prefix lacks-/,
    );
  });
});
