import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, describeKeys, environmentName, keyRows, readConfig } from './config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-sidecar-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, `${Math.random()}.yaml`);
  writeFileSync(path, text);
  return path;
}

function refusal(args: string[], env: Record<string, string> = {}): string {
  try {
    readConfig({ args, env });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('was not refused');
}

describe('readConfig', () => {
  it('needs nothing', () => {
    expect(readConfig({ args: [], env: { PATH: '/bin' } })).toEqual({
      ingestor: {
        url: new URL('http://127.0.0.1:9465/status'),
        pollMs: 1_000,
        timeoutMs: 2_000,
        restartedMs: 60_000,
      },
      listen: { host: '127.0.0.1', port: 9466 },
      auth: { tokenFile: null },
      peers: { host: null, port: 9466, addresses: [], pollMs: 5_000, timeoutMs: 2_000 },
      log: { level: 'info' },
    });
  });

  it('reads where the fleet is', () => {
    const env = {
      TICKLINE_SIDECAR_AUTH_TOKEN_FILE: '/etc/token',
      TICKLINE_SIDECAR_PEERS_HOST: 'tickline-pods.tickline.svc',
      TICKLINE_SIDECAR_PEERS_ADDRESSES: '10.0.0.1:9466, [::1]:9467',
    };
    const config = readConfig({ args: [], env });
    expect(config.auth.tokenFile).toBe('/etc/token');
    expect(config.peers).toMatchObject({
      host: 'tickline-pods.tickline.svc',
      addresses: ['10.0.0.1:9466', '[::1]:9467'],
    });
  });

  it('lets the command line win over the environment, and that over the file', () => {
    const path = file('ingestor: {pollMs: 100, timeoutMs: 100}\nlisten: {port: 1}\nlog: {level: debug}\n');
    const config = readConfig({
      args: ['--config', path, '--listen.port=3'],
      env: { TICKLINE_SIDECAR_LISTEN_PORT: '2', TICKLINE_SIDECAR_INGESTOR_POLL_MS: '200' },
    });
    expect(config.listen.port).toBe(3);
    expect(config.ingestor).toMatchObject({ pollMs: 200, timeoutMs: 100 });
    expect(config.log.level).toBe('debug');
  });

  it('reads the file that the environment names, unless one is given', () => {
    const env = { TICKLINE_SIDECAR_CONFIG: file('listen: {port: 7}') };
    expect(readConfig({ args: [], env }).listen.port).toBe(7);
    expect(readConfig({ args: ['--config', file('listen: {port: 8}')], env }).listen.port).toBe(8);
  });

  it('takes an empty file, and refuses one of two documents', () => {
    for (const text of ['', '# nothing yet\n', '---\n']) {
      expect(readConfig({ args: ['--config', file(text)], env: {} }).listen.port).toBe(9466);
    }
    expect(refusal(['--config', file('listen: {port: 1}\n---\nlisten: {port: 2}\n')])).toContain(
      'more than one YAML document',
    );
  });

  it('adds the path to an address without one', () => {
    const url = (text: string) => readConfig({ args: ['--ingestor.url', text], env: {} }).ingestor.url.href;
    expect(url('http://127.0.0.1:1')).toBe('http://127.0.0.1:1/status');
    expect(url('http://127.0.0.1:1/other')).toBe('http://127.0.0.1:1/other');
  });

  it('leaves the variables of other programs and of Kubernetes alone', () => {
    const env = {
      TICKLINE_KAFKA_BROKERS: 'x',
      TICKLINE_SIDECAR_SERVICE_HOST: '10.0.0.1',
      TICKLINE_SIDECAR_PORT: 'tcp://10.0.0.1:1',
      TICKLINE_SIDECAR_PORT_9466_TCP_ADDR: '10.0.0.1',
    };
    expect(readConfig({ args: [], env }).listen.port).toBe(9466);
  });

  it.each([
    [['--listen.prot=1'], '--listen.prot is not a flag; there are --config, --ingestor.url'],
    [['extra'], 'extra is not a flag'],
    [['--listen.port'], '--listen.port needs a value'],
    [['--listen.port=12abc'], '--listen.port: listen.port must be an integer, 0 to 65535, is "12abc"'],
    [['--listen.port=65536'], 'listen.port must be an integer, 0 to 65535, is 65536'],
    [['--ingestor.pollMs=0'], 'ingestor.pollMs must be an integer (milliseconds), 10 to 3600000, is 0'],
    [['--ingestor.url=https://h/'], 'ingestor.url must be an http:// address'],
    [['--ingestor.url=nothing'], 'ingestor.url must be an http:// address'],
    [['--peers.host=http://pods'], 'peers.host must be a host name, is "http://pods"'],
    [['--peers.addresses=10.0.0.1'], 'peers.addresses must be addresses host:port with commas between'],
    [['--peers.addresses=u@h:1'], 'peers.addresses must be addresses host:port'],
    [['--peers.addresses=h:70000'], 'peers.addresses must be addresses host:port'],
    [['--peers.port=0'], 'peers.port must be an integer, 1 to 65535, is 0'],
    [['--log.level=loud'], 'log.level must be one of error, warn, info, debug, is "loud"'],
    [['--config=/nowhere.yaml'], "/nowhere.yaml: can't be read: ENOENT"],
  ])('refuses %j', (args, message) => {
    expect(refusal(args)).toContain(message);
  });

  it('refuses unknown and misplaced keys of a file by their names', () => {
    const path = file('listen: {prot: 1}\nlog: loud\nbogus: 1\n');
    const message = refusal(['--config', path]);
    expect(message).toContain('the configuration has 3 problems:');
    expect(message).toContain(`${path}: listen.prot is not a key; there are ingestor.url`);
    expect(message).toContain(`${path}: log must be a mapping, is "loud"`);
    expect(message).toContain(`${path}: bogus is not a key`);
  });

  it('refuses unknown variables by their names', () => {
    expect(refusal([], { TICKLINE_SIDECAR_POLL: '1' })).toContain(
      'TICKLINE_SIDECAR_POLL names no key; there are TICKLINE_SIDECAR_INGESTOR_URL',
    );
  });

  it('does not show a password in an address', () => {
    expect(refusal(['--ingestor.url=http://u:hunter22@127.0.0.1/'])).not.toContain('hunter22');
  });
});

it('explains every key with its variable', () => {
  expect(describeKeys()).toContain('--ingestor.pollMs=1000');
  expect(describeKeys()).toContain(environmentName('ingestor.pollMs'));
  expect(environmentName('ingestor.pollMs')).toBe('TICKLINE_SIDECAR_INGESTOR_POLL_MS');
});

it('is documented as it is', () => {
  const page = readFileSync(new URL('../../../docs/sidecar.md', import.meta.url), 'utf8');
  expect(page).toContain(`\n${keyRows()}\n`);
});
