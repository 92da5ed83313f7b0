import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Simulator, startSimulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import {
  allow,
  PASSWORDS,
  plantedSecret,
  provisionRights,
  SecretFolder,
  type SecuredServers,
  type Settings,
  securedFlags,
  startSecuredServers,
  topicAcl,
} from './secured-servers.ts';

const PREFIX = 'planted.';
const INGESTOR = 'services/ingestor/src/main.ts';
const SIDECAR = 'services/sidecar/src/main.ts';

/** Everything that is configured as a secret anywhere below. */
const SECRETS = {
  ...PASSWORDS,
  redis: plantedSecret('redis'),
  wrong: plantedSecret('wrong'),
  grpc: plantedSecret('grpc'),
  sidecar: plantedSecret('sidecar'),
};

let servers: SecuredServers;
let folder: SecretFolder;
let simulator: Simulator;
let redis: RedisServer;
const running: ChildProcess[] = [];

beforeAll(async () => {
  servers = await startSecuredServers();
  folder = new SecretFolder();
  simulator = await startSimulator({ exchange: 'okx', symbols: 3, rate: 200 });
  const redisPassword = SECRETS.redis.replaceAll(' ', '');
  redis = await startRedis({ users: [`user default on >${redisPassword} ~* &* +@all`] });
  await allow(servers.admin, [...provisionRights(PREFIX), topicAcl('pod', 'WRITE', PREFIX)]);
});

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await simulator?.close();
  await redis?.remove();
  await servers?.stop();
  folder?.remove();
});

/** A process whose every word is kept. */
class Watched {
  output = '';
  readonly commandLine: string;
  private readonly child: ChildProcess;
  private isClosed = false;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, args, {
      cwd: repositoryRoot,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(this.child);
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.child.once('close', () => {
      this.isClosed = true;
    });
    this.commandLine = readFileSync(`/proc/${this.child.pid}/cmdline`, 'utf8');
  }

  /** Ends it, asking first if it would not end by itself. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal !== undefined) this.child.kill(signal);
    await eventually(
      'the process ends',
      () => {
        if (this.isClosed) return true;
        throw new Error(`it still runs:\n${this.output.slice(-2000)}`);
      },
      45_000,
    );
    return this.child.exitCode;
  }

  /** The first that the pattern's group finds in the output. */
  find(what: string, pattern: RegExp): Promise<string> {
    return eventually(what, () => pattern.exec(this.output)?.[1]);
  }
}

/** A secret as it is, within a URL, and within base64 of more than itself, at each of its three places. */
function formsOf(secret: string): string[] {
  const inside = [0, 1, 2].map((before) =>
    Buffer.from(`${'x'.repeat(before)}${secret}`)
      .toString('base64')
      .replace(/=+$/, '')
      .slice(4, -4),
  );
  // The random part alone is found too, whatever became of what is around it.
  const random = /[0-9a-f]{18}/.exec(secret)![0];
  return [secret, encodeURIComponent(secret), random, Buffer.from(secret).toString('hex'), ...inside];
}

function expectNoSecret(where: string, text: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    for (const form of formsOf(secret))
      expect(text.includes(form), `${name} in ${where}:\n${text}`).toBe(false);
  }
}

/** All of an answer; of the event stream, which does not end, its beginning: the first event holds everything. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type') !== 'text/event-stream') return await answer.text();
  let text = '';
  for await (const chunk of answer.body!) {
    text += Buffer.from(chunk).toString();
    if (/^data: .*\n\n/m.test(text)) break;
  }
  return text;
}

/** Secrets by files, wherever there is a setting for one. */
function byFile(changes: Settings = {}): string[] {
  return [
    ...securedFlags(servers, folder, PREFIX, {
      'kafka.ssl.certFile': servers.kafka.clientWithPassphrase.cert,
      'kafka.ssl.keyFile': servers.kafka.clientWithPassphrase.key,
      'kafka.ssl.keyPassphraseFile': folder.file('passphrase', SECRETS.passphrase),
      'redis.streams.enabled': 'true',
      'redis.addresses': redis.address,
      'redis.passwordFile': folder.file('redis', SECRETS.redis),
      'grpc.enabled': 'true',
      'grpc.port': '0',
      'grpc.tokenFile': folder.file('grpc', SECRETS.grpc),
      'shard.count': '1',
      'shard.index': '0',
      'exchanges.okx.symbols': '*',
      'exchanges.okx.endpoints.rest': simulator.restUrl,
      'exchanges.okx.endpoints.websocket': simulator.url,
      'status.port': '0',
      'metrics.port': '0',
      'log.level': 'debug',
      ...changes,
    }),
  ];
}

/** The same secrets by the environment. */
function byEnvironment(): { flags: string[]; env: Record<string, string> } {
  const flags = byFile({
    'kafka.sasl.passwordFile': null,
    'kafka.ssl.keyPassphraseFile': null,
    'redis.passwordFile': null,
    'registry.passwordFile': null,
  });
  const env = {
    TICKLINE_KAFKA_SASL_PASSWORD: SECRETS.pod,
    TICKLINE_KAFKA_SSL_KEY_PASSPHRASE: SECRETS.passphrase,
    TICKLINE_REDIS_PASSWORD: SECRETS.redis,
    TICKLINE_REGISTRY_PASSWORD: SECRETS.registry,
  };
  return { flags, env };
}

/** Runs a short command to its end and searches what it said. */
async function search(code: number, args: readonly string[], env = {}): Promise<string> {
  const process = new Watched([INGESTOR, ...args], env);
  expect(await process.end(), `${args[0]}:\n${process.output}`).toBe(code);
  expectNoSecret(`the output of ${args[0]}`, process.output);
  expectNoSecret(`the process list at ${args[0]}`, process.commandLine);
  return process.output;
}

describe('no secret is shown', () => {
  it('finds one, in whatever form, if there is one', () => {
    const secret = SECRETS.redis;
    const shown = [secret, `redis://u:${encodeURIComponent(secret)}@h`, JSON.stringify({ secret })];
    const encoded = ['a', 'ab', 'abc'].map((user) => Buffer.from(`${user}:${secret}`).toString('base64'));
    for (const text of [...shown, ...encoded]) expect(() => expectNoSecret('a text', text)).toThrow();
  });

  it('by short commands that succeed', async () => {
    await search(0, ['provision', ...byFile(folder.login('provisioner'))]);
    const { flags, env } = byEnvironment();
    await Promise.all([
      search(0, ['provision', '--json', ...byFile(folder.login('provisioner'))]),
      search(0, ['check', '--connect', '--json', ...flags], env),
      search(0, ['plan', '--units', ...byFile()]),
    ]);
  });

  it('by help texts and a decoder with secrets around', async () => {
    const { env } = byEnvironment();
    const commands = ['run', 'check', 'plan', 'provision', 'decode'].map((command) => [command, '--help']);
    await Promise.all(
      [...commands, ['decode', '--exchange=okx', '--any-instrument']].map((args) => search(0, args, env)),
    );
  });

  it('by commands that are refused', async () => {
    const wrong = folder.file('wrong', SECRETS.wrong);
    const wrongLogins = [
      { 'kafka.sasl.passwordFile': wrong },
      { 'kafka.sasl.mechanism': 'plain', 'kafka.sasl.passwordFile': wrong },
      { 'kafka.ssl.keyPassphraseFile': wrong },
    ].map((changes) => byFile(changes));
    await Promise.all(
      wrongLogins.flatMap((flags) => [search(2, ['run', ...flags]), search(2, ['provision', ...flags])]),
    );
    const registry = byFile({ 'registry.passwordFile': wrong });
    // Files in which the configuration goes wrong, with secrets at and around the place.
    const misplaced = folder.file(
      'wrong.yaml',
      `kafka: {sasl: {password: "${SECRETS.pod}", passwordFile: ${wrong}}, brokers: 5}\nregistry: {password: [${SECRETS.registry}]}\n`,
    );
    const broken = folder.file(
      'broken.yaml',
      `registry: {password: "${SECRETS.registry}\n  x: ]${SECRETS.pod}`,
    );
    await Promise.all([
      search(2, ['run', ...registry]),
      search(2, ['check', '--connect', '--json', ...registry]),
      search(2, ['check', '--offline', '--config', misplaced, ...byFile()]),
      search(2, ['check', '--offline', '--config', broken, ...byFile()]),
    ]);
  });

  it('by a secret on the command line, which is refused without repeating it', async () => {
    const flags = byFile({ 'kafka.sasl.passwordFile': null });
    const process = new Watched([INGESTOR, 'check', ...flags, `--kafka.sasl.password=${SECRETS.pod}`]);
    expect(await process.end()).toBe(2);
    expect(process.output).toContain('kafka.sasl.password');
    expectNoSecret('the output', process.output);
  });

  it.each(['files', 'environment'])(
    'by a pod that runs with secrets from %s, and its sidecar',
    async (source) => {
      const { flags, env } = source === 'files' ? { flags: byFile(), env: {} } : byEnvironment();
      const pod = new Watched([INGESTOR, 'run', ...flags], env);
      const statusUrl = await pod.find('the pod listens', /"statusUrl":"([^"]+)"/);
      const metricsUrl = await pod.find('and tells metrics', /"metricsUrl":"([^"]+)"/);
      const sidecarFlags = [`--ingestor.url=${statusUrl}/status`, '--listen.port=0', '--log.level=debug'];
      const token = `--auth.tokenFile=${folder.file('sidecar', SECRETS.sidecar)}`;
      const sidecar = new Watched([SIDECAR, 'run', ...sidecarFlags, token]);
      const sidecarUrl = await sidecar.find('the sidecar listens', /(http:\/\/127\.0\.0\.1:\d+)(?!\/status)/);
      await eventually('the pod is ready', async () => (await fetch(`${statusUrl}/readyz`)).ok);
      const withToken = { headers: { authorization: `Bearer ${SECRETS.sidecar}` } };
      for (const [base, paths] of [
        [statusUrl, ['/status', '/livez', '/readyz', '/log-level', '/nothing']],
        [metricsUrl, ['/metrics', '/livez', '/readyz']],
        [sidecarUrl, ['/', '/status', '/metrics', '/healthz', '/fleet', '/log-level', '/login', '/events']],
        [sidecarUrl, ['/status?token=wrong', '/nothing']],
      ] as const) {
        for (const path of paths) {
          for (const asked of [{}, withToken]) {
            const answer = await fetch(`${base}${path}`, asked);
            const headers = [...answer.headers].join('\n');
            expectNoSecret(`${base}${path}`, `${headers}\n${await textOf(answer)}`);
          }
        }
      }
      expect(await pod.end('SIGTERM'), pod.output).toBe(0);
      expect(await sidecar.end('SIGTERM'), sidecar.output).toBe(0);
      for (const [name, { output, commandLine }] of Object.entries({ pod, sidecar })) {
        expect(output.length).toBeGreaterThan(100);
        expectNoSecret(`the output of the ${name}`, output);
        expectNoSecret(`the process list (${name})`, commandLine);
      }
      expect(pod.output).toContain('"event":"configuration"');
    },
  );

  it('by a pod that is refused by Redis, again and again', async () => {
    const wrong = folder.file('wrong', SECRETS.wrong);
    const pod = new Watched([
      INGESTOR,
      'run',
      ...byFile({ 'redis.passwordFile': wrong, drainBudgetMs: '100' }),
    ]);
    const statusUrl = await pod.find('the pod listens', /"statusUrl":"([^"]+)"/);
    const status = await eventually('the status says it', async () => {
      const text = await (await fetch(`${statusUrl}/status`)).text();
      return text.includes('redis.passwordFile') ? text : undefined;
    });
    expectNoSecret('the status', status);
    await pod.end('SIGTERM');
    expectNoSecret('the output', pod.output);
  });
});
