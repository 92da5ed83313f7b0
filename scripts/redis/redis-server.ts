import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ensureCommand } from '../setup-system-package.ts';
import { freePort } from '../stack/free-port.ts';
import type { OnProgress } from '../stack/install.ts';
import { ticklineFolder } from '../stack/paths.ts';
import { processServer, type StopSignal } from '../stack/server.ts';

/** What {@link startRedis} starts. */
export interface RedisServerStart {
  /** Lines of its configuration over ours, as in redis.conf: `maxmemory 10mb`. */
  readonly settings?: readonly string[];
  /** TLS on the port, with these PEM files; clients need no certificate unless `tls-auth-clients yes` is among the settings. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** ACL rules, as in `user NAME …`. */
  readonly users?: readonly string[];
  /** The program's arguments behind the configuration file: `--sentinel`. */
  readonly args?: readonly string[];
  readonly onProgress?: OnProgress;
}

/** A real redis-server on a port of 127.0.0.1 that was free; what it confirmed survives `kill -9` (appendonly). */
export interface RedisServer {
  readonly port: number;
  /** host:port. */
  readonly address: string;
  readonly pid: number | undefined;
  /** Again, on the same port and data. Resolves when it answers. */
  start(): Promise<void>;
  stop(signal?: StopSignal): Promise<void>;
  /** SIGSTOP: it hangs, with its connections open. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Starts a redis-server, installing it first if need be. Nothing survives this process. */
export async function startRedis(start: RedisServerStart = {}): Promise<RedisServer> {
  await ensureCommand('redis-server', 'redis-server', start.onProgress ?? (() => undefined));
  const port = await freePort();
  const parent = join(ticklineFolder, 'redis');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${port}-`));
  const { tls } = start;
  const file = join(folder, 'redis.conf');
  const isSentinel = start.args?.includes('--sentinel') ?? false;
  writeFileSync(
    file,
    [
      'bind 127.0.0.1',
      tls === undefined ? `port ${port}` : `port 0\ntls-port ${port}`,
      ...(tls === undefined
        ? []
        : [
            `tls-ca-cert-file ${tls.ca}`,
            `tls-cert-file ${tls.cert}`,
            `tls-key-file ${tls.key}`,
            'tls-auth-clients optional',
          ]),
      `dir ${folder}`,
      ...(isSentinel ? [] : ['save ""', 'appendonly yes']),
      ...(start.settings ?? []),
      ...(start.users ?? []),
      '',
    ].join('\n'),
  );
  const server = processServer({
    name: `redis-${port}`,
    command: 'redis-server',
    args: [file, ...(start.args ?? [])],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: 30_000,
    signal: undefined,
    prepare: async () => {},
    onStarted: () => {},
    answers: () => answers(port, tls),
  });
  await server.start();
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    if (server.pid === undefined) throw new Error(`redis-${port} does not run`);
    process.kill(server.pid, name);
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    start: () => server.start(),
    stop: (how) => server.stop(how),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async remove() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether it answers, be it that it wants a login first. */
async function answers(port: number, tls: RedisServerStart['tls']): Promise<boolean> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    protocol: 2,
    disableClientInfo: true,
    ...(tls === undefined
      ? {}
      : { tls: { ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }),
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (
      (await client.ping().catch((error: unknown) => String(error))).match(/PONG|NOAUTH|NOPERM/) !== null
    );
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
