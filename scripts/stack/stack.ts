import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chooseStack, machineTools, type StackKind } from './choice.ts';
import { containerServers } from './container-servers.ts';
import type { OnProgress } from './install.ts';
import { jarServers } from './jar-servers.ts';
import { stacksFolder } from './paths.ts';
import { identify, startTimeOf } from './process-identity.ts';
import type { Server } from './server.ts';
import type { Broker, Servers } from './servers.ts';
import { type StackState, sweepStaleStacks, writeState } from './state.ts';
import { stopOnSignals } from './stop-on-signals.ts';

/** What {@link startStack} starts. */
export interface StackOptions {
  /** How many brokers, each a controller too. Default 1; 3 for tests in which leaders move. */
  readonly brokers?: 1 | 3;
  /** Whether to start the schema registry. Default true. */
  readonly registry?: boolean;
  /** A folder to keep data and logs in: used again by a later stack with the same number of brokers. Default: a
   * folder below `.tickline/stacks/`, removed by `stop()`. From jars only. */
  readonly dataDir?: string;
  /** Broker settings by Kafka's names, over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what goes on, a line at a time. Default: nothing is told. */
  readonly onProgress?: OnProgress;
  /** Gives up starting, and stops what was started, when aborted. */
  readonly signal?: AbortSignal;
  /** How long a server may take to answer, in milliseconds. Default 120,000. */
  readonly timeoutMs?: number;
}

/** A running Kafka cluster and schema registry, on ports of 127.0.0.1 that were free. */
export interface Stack {
  readonly kind: StackKind;
  /** host:port of each broker. */
  readonly brokers: readonly string[];
  /** Base address of the registry's Confluent API; an empty string if it was not asked for. */
  readonly registryUrl: string;
  /** The registry's server, to stop and start it; throws if it was not asked for. */
  readonly registry: Server;
  /** Where data and logs are. */
  readonly folder: string;
  /** Who runs and where, for others to find. */
  readonly state: StackState;
  /** A broker by its place in `brokers`, from 0. */
  broker(index: number): Broker;
  /** Stops everything, in order, and removes the data unless a `dataDir` was given. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a real Kafka and a real schema registry, installing them first if need be, and resolves when all of
 * them answer. Environment: `STACK` (`jars` or `docker`), see {@link chooseStack}.
 *
 * Nothing survives this process: `stop()`, its exit and SIGINT, SIGTERM or SIGHUP end the servers; on Linux
 * so does `kill -9` of it (of the *thread* that called, if that is a worker). A program with handlers of its
 * own for these signals calls `stop()` there itself.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const onProgress = options.onProgress ?? (() => undefined);
  const count = options.brokers ?? 1;
  const withRegistry = options.registry ?? true;
  const kind = chooseStack(process.env.STACK, machineTools());
  options.signal?.throwIfAborted();

  sweepStaleStacks(stacksFolder);
  mkdirSync(stacksFolder, { recursive: true });
  const ownFolder = mkdtempSync(join(stacksFolder, `${process.pid}-`));
  const folder = options.dataDir ?? ownFolder;
  const owner = identify(process.pid);

  let servers: Servers | undefined;
  const state = (): StackState => ({
    kind,
    owner,
    servers: [...(servers?.brokers ?? []), ...(servers?.registry === undefined ? [] : [servers.registry])]
      .map((server) => ({ name: server.name, pid: server.pid, startTime: startTimeOf(server.pid ?? -1) }))
      .filter((s): s is StackState['servers'][number] => s.pid !== undefined && s.startTime !== undefined),
    brokers: servers?.brokers.map((broker) => broker.address) ?? [],
    registryUrl: servers?.registryUrl ?? null,
    folder,
  });
  const save = (): void => writeState(join(ownFolder, 'stack.json'), state());
  save();

  const stopServers = async (): Promise<void> => {
    if (servers === undefined) return;
    // Data that is thrown away needs no orderly end; data that is kept does.
    const signal = options.dataDir === undefined ? 'SIGKILL' : 'SIGTERM';
    await servers.registry?.stop(signal);
    await Promise.all(servers.brokers.map((broker) => broker.stop(signal)));
    await servers.close();
  };

  const context = {
    count,
    withRegistry,
    folder,
    keepData: options.dataDir !== undefined,
    settings: options.settings ?? {},
    timeoutMs: options.timeoutMs ?? 120_000,
    signal: options.signal,
    onProgress,
    onServerStarted: save,
  };
  const started = performance.now();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopServers().finally(() => {
      release();
      rmSync(ownFolder, { recursive: true, force: true });
    });
    return stopping;
  };
  const release = stopOnSignals(stop);
  try {
    servers = await (kind === 'jars' ? jarServers(context) : containerServers(context));
    const { brokers, registry } = servers;
    onProgress(
      `starting ${count === 1 ? 'Kafka' : `${count} Kafka brokers`}${withRegistry ? ' and the schema registry' : ''}`,
    );
    // All settle before an error is thrown: none may come up after the others were stopped.
    const starts = [...brokers, ...(registry === undefined ? [] : [registry])].map((server) =>
      server.start(),
    );
    for (const start of await Promise.allSettled(starts)) if (start.status === 'rejected') throw start.reason;
    onProgress(`the stack answers after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    // The logs stay until the next start of a stack by another process: the error names them.
    await stopServers();
    release();
    throw error;
  }

  const { brokers, registry, registryUrl } = servers;
  return {
    kind,
    brokers: brokers.map((broker) => broker.address),
    registryUrl: registryUrl ?? '',
    get registry() {
      if (registry === undefined) throw new Error('this stack was started with registry: false');
      return registry;
    },
    folder,
    get state() {
      return state();
    },
    broker(index) {
      const broker = brokers[index];
      if (broker === undefined)
        throw new Error(`there is no broker ${index}: there are ${brokers.length}, from 0`);
      return broker;
    },
    stop,
  };
}
