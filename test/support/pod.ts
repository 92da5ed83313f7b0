import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PodStatus } from '@tickline/schemas';
import { type ManagedProcess, startNode } from '../../scripts/processes/managed-process.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from './eventually.ts';

/** A real ingestor process under test. */
export interface Pod {
  readonly process: ManagedProcess;
  readonly metricsUrl: string;
  readonly statusUrl: string;
  status(): Promise<PodStatus>;
  /** Resolves with the first status for which it holds. */
  until(what: string, holds: (status: PodStatus) => boolean, timeoutMs?: number): Promise<PodStatus>;
  /** The JSON log lines so far. */
  log(): Record<string, unknown>[];
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface PodOptions {
  readonly stack: Pick<Stack, 'brokers' | 'registryUrl'>;
  readonly simulators: readonly Simulator[];
  /** Canonical symbols by exchange; default: all that trade. */
  readonly symbols?: Readonly<Record<string, readonly string[]>>;
  /** Topic prefix: tests that share a broker take one each. Default `md.`. */
  readonly prefix?: string;
  readonly shard?: { readonly index: number; readonly count: number };
  /** Further settings as `--key=value`, of all commands. */
  readonly flags?: readonly string[];
}

const main = 'services/ingestor/src/main.ts';
const folder = join(repositoryRoot, '.tickline', 'test-pods');

/** The configuration that points an ingestor at simulators and a local stack. */
export function podFlags(options: PodOptions): string[] {
  const { stack, simulators, symbols = {}, prefix = 'md.' } = options;
  return [
    `--kafka.brokers=${stack.brokers.join(',')}`,
    `--kafka.topicPrefix=${prefix}`,
    `--registry.url=${stack.registryUrl}`,
    `--shard.count=${options.shard?.count ?? 1}`,
    ...simulators.flatMap(({ exchange, url, restUrl }) => [
      `--exchanges.${exchange}.endpoints.websocket=${url}`,
      `--exchanges.${exchange}.endpoints.rest=${restUrl}`,
      `--exchanges.${exchange}.symbols=${(symbols[exchange] ?? ['*']).join(',')}`,
    ]),
    ...(options.flags ?? []),
  ];
}

/** Runs `provision` and throws unless it ends well. */
export async function provision(options: PodOptions): Promise<void> {
  const abort = new AbortController();
  const own = makeFolder();
  const run = startNode(
    'provision',
    [main, 'provision', ...podFlags(options)],
    join(own, 'log'),
    abort.signal,
  );
  const { code } = await run.ended;
  if (code !== 0) throw run.deathNotice();
  rmSync(own, { recursive: true });
}

/** Starts `run` and resolves when its servers listen. The topics must be there (`provision`). */
export async function startPod(options: PodOptions): Promise<Pod> {
  const own = makeFolder();
  const logFile = join(own, 'log');
  writeFileSync(logFile, '');
  const abort = new AbortController();
  const child = startNode(
    'ingestor',
    [
      main,
      'run',
      ...podFlags(options),
      `--shard.index=${options.shard?.index ?? 0}`,
      '--status.port=0',
      '--metrics.port=0',
    ],
    logFile,
    abort.signal,
  );
  const { statusUrl, metricsUrl } = await child.line(
    (line) =>
      line.event === 'listening' ? (line.data as { statusUrl: string; metricsUrl: string }) : undefined,
    'listens',
    30_000,
  );
  const status = async () => (await (await fetch(`${statusUrl}/status`)).json()) as PodStatus;
  return {
    process: child,
    statusUrl,
    metricsUrl,
    status,
    until: (what, holds, timeoutMs = 60_000) =>
      eventually(
        what,
        async () => {
          const now = await status();
          return holds(now) ? now : undefined;
        },
        timeoutMs,
      ),
    log: () =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async stop() {
      return (await child.stop(30_000)).code;
    },
  };
}

function makeFolder(): string {
  mkdirSync(folder, { recursive: true });
  return mkdtempSync(join(folder, 'pod-'));
}
