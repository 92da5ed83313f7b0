import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXCHANGES } from '@tickline/schemas';
import { lastLines } from '../stack/server.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { type PodConfiguration, writePodConfiguration } from './config-file.ts';
import { count } from './figures.ts';
import { type ManagedProcess, ProcessDiedError } from './managed-process.ts';
import type { DemoOptions } from './options.ts';
import { Pod, type ProcessContext, provision } from './pod.ts';
import type { Progress } from './progress.ts';
import { registrySchemas } from './registry-schemas.ts';
import { LIVE_SYMBOLS, Samples } from './samples.ts';
import { Simulators } from './simulators.ts';
import { startTopicReader, type TopicListener, type TopicReader } from './topic-reader.ts';

const SHARDS = 2;
/** In an orderly end processes are stopped before; here they get little time. */
const HASTE_MS = 3_000;

/** A part of the demo that was started and works. */
export interface RunningParts {
  readonly stack: Stack;
  /** Null against the real exchanges. */
  readonly simulators: Simulators | null;
  readonly reader: TopicReader;
  readonly pods: readonly Pod[];
  readonly samples: Samples;
}

/** Everything the demo starts, in the order in which it is needed, and stops again. */
export class Parts {
  private readonly folder: string;
  private readonly signal: AbortSignal;
  private readonly progress: Progress;
  private readonly died: (error: Error) => void;
  private readonly processes: ManagedProcess[] = [];
  /** Processes that may end. */
  private readonly released = new Set<ManagedProcess>();
  private stack: Stack | null = null;
  private reader: TopicReader | null = null;

  /**
   * @param folder for configuration and logs
   * @param signal gives up the start when aborted
   * @param died told when a process ends that was not released
   */
  constructor(folder: string, signal: AbortSignal, progress: Progress, died: (error: Error) => void) {
    this.folder = folder;
    this.signal = signal;
    this.progress = progress;
    this.died = died;
  }

  /** Resolves when every part answers. What was started before an error is stopped by `stop()`. */
  async start(options: DemoOptions, listener: TopicListener, samples: (of: Samples) => void) {
    const { progress, signal } = this;
    const [stack, simulators] = await allOrFirstError([
      this.startStack(),
      options.live ? Promise.resolve(null) : this.startSimulators(options),
    ]);

    const configFile = join(this.folder, 'tickline.yaml');
    writePodConfiguration(configFile, podConfigurationOf(options, stack, simulators));
    progress('creating topics and schemas');
    await provision(configFile, { ...this.context(), started: (process) => this.add(process, true) });

    progress('starting the reader of md.trades, md.quotes and md.status');
    const schemas = registrySchemas(stack.registryUrl);
    const shown = new Samples(schemas);
    samples(shown);
    const log = join(this.folder, 'reader.log');
    const reader = await startTopicReader({
      brokers: stack.brokers,
      schemas,
      listener,
      log: (line) => appendFileSync(log, `${new Date().toISOString()} ${line}\n`),
    });
    this.reader = reader;
    signal.throwIfAborted();

    progress(`starting ${SHARDS} ingestor pods, each with its sidecar`);
    const pods = await allOrFirstError(
      Array.from({ length: SHARDS }, (_, index) => Pod.start(index, configFile, this.context())),
    );
    progress('the pods answer');
    const parts: RunningParts = { stack, simulators, reader, pods, samples: shown };
    return parts;
  }

  /** From now on the process may end. */
  release(process: ManagedProcess): void {
    this.released.add(process);
  }

  /** Tells of a server that died. In containers that is the container engine's affair. */
  checkServers(): void {
    if (this.stack === null || this.stack.kind !== 'jars') return;
    for (const { name, pid, logFile } of [this.stack.broker(0), this.stack.registry]) {
      if (pid !== undefined) continue;
      const log = lastLines(logFile, 15);
      this.died(new ProcessDiedError(`${name} ended. The last lines of ${logFile}:\n${log}`));
    }
  }

  /** Stops all that still runs. May be called whatever was started. */
  async stop(): Promise<void> {
    for (const process of this.processes) this.release(process);
    await Promise.all(this.processes.map((process) => process.stop(HASTE_MS)));
    // A client whose broker is gone goes on trying for long: our exit ends it too.
    await Promise.race([this.reader?.stop(), delay(HASTE_MS, undefined, { ref: false })]);
    await this.stack?.stop();
  }

  private async startStack(): Promise<Stack> {
    // The topics' retention works on whole segments: small ones keep a long run's disk flat.
    this.stack = await startStack({
      brokers: 1,
      registry: true,
      signal: this.signal,
      onProgress: this.progress,
      settings: { 'log.segment.bytes': '33554432', 'log.retention.check.interval.ms': '10000' },
    });
    return this.stack;
  }

  private async startSimulators({ rate, symbols }: DemoOptions): Promise<Simulators> {
    const { progress } = this;
    progress(`starting ${EXCHANGES.length} simulated exchanges, ${count(symbols)} symbols each`);
    const simulators = await Simulators.start(EXCHANGES, rate, symbols, this.context());
    progress(`the simulated exchanges answer, ${count(rate)} frames/s together when their markets open`);
    return simulators;
  }

  private context(): ProcessContext {
    return {
      folder: this.folder,
      signal: this.signal,
      started: (process) => this.add(process, false),
    };
  }

  private add(process: ManagedProcess, mayEnd: boolean): void {
    this.processes.push(process);
    if (mayEnd) this.release(process);
    void process.ended.then(() => {
      if (!this.released.has(process)) this.died(process.deathNotice());
    });
  }
}

function podConfigurationOf(
  { live }: DemoOptions,
  { brokers, registryUrl }: Stack,
  simulators: Simulators | null,
): PodConfiguration {
  const exchanges = Object.fromEntries(
    EXCHANGES.map((exchange) => [
      exchange,
      live || simulators === null
        ? { symbols: LIVE_SYMBOLS[exchange] }
        : { symbols: ['*'], endpoints: simulators.endpoints(exchange) },
    ]),
  );
  return { shards: SHARDS, brokers, registryUrl, exchanges };
}

/**
 * Resolves with all results. Rejects with the first error, but only when none is under way any more: none may
 * come up after the others were stopped.
 */
async function allOrFirstError<const T extends readonly Promise<unknown>[]>(
  starts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  let first: { readonly error: unknown } | null = null;
  const settled = await Promise.all(
    starts.map((start) =>
      start.catch((error: unknown) => {
        first ??= { error };
      }),
    ),
  );
  if (first !== null) throw (first as { readonly error: unknown }).error;
  return settled as { -readonly [K in keyof T]: Awaited<T[K]> };
}
