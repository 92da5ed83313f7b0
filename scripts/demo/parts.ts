import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXCHANGES } from '@tickline/schemas';
import { type ManagedProcess, ProcessDiedError } from '../processes/managed-process.ts';
import { type RedisServer, startRedis } from '../redis/redis-server.ts';
import { freePort } from '../stack/free-port.ts';
import { registrySchemas } from '../stack/registry-schemas.ts';
import { lastLines } from '../stack/server.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { type PodConfiguration, writePodConfiguration } from './config-file.ts';
import { count } from './figures.ts';
import type { DemoOptions } from './options.ts';
import { Pod, type ProcessContext, provision } from './pod.ts';
import type { Progress } from './progress.ts';
import { LIVE_SYMBOLS, Samples } from './samples.ts';
import { Simulators } from './simulators.ts';
import { SINK_FACTS, type SinkName } from './sinks.ts';
import type { Subscriber, SubscriberContext, SubscriberListener } from './subscriber.ts';

const SHARDS = 2;
/** In an orderly end processes are stopped before; here they get little time. */
const HASTE_MS = 3_000;

/** All parts of the demo, started and at work. */
export interface RunningParts {
  /** Where the servers are, for people. */
  readonly servers: readonly string[];
  /** Null against the real exchanges. */
  readonly simulators: Simulators | null;
  readonly subscribers: readonly Subscriber[];
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
  private redis: RedisServer | null = null;
  private readonly subscribers: Subscriber[] = [];

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

  /**
   * Resolves when every part answers. What was started before an error is stopped by `stop()`.
   * @param listenerOf who is told what a sink's subscriber gets
   * @param samples told of the samples before the first tick
   */
  async start(
    options: DemoOptions,
    listenerOf: (sink: SinkName) => SubscriberListener,
    samples: (of: Samples) => void,
  ): Promise<RunningParts> {
    const { progress, signal } = this;
    const wants = (...sinks: SinkName[]): boolean => sinks.some((sink) => options.sinks.includes(sink));
    const [stack, redis, simulators, addresses] = await allOrFirstError([
      wants('kafka') ? this.startStack() : null,
      wants('redisStreams', 'redisPubSub') ? this.startRedis() : null,
      options.live ? null : this.startSimulators(options),
      wants('grpc') ? freeAddresses() : null,
    ]);

    const configFile = join(this.folder, 'tickline.yaml');
    writePodConfiguration(configFile, {
      shards: SHARDS,
      kafka: stack,
      redis: redis === null ? null : { address: redis.address, sinks: options.sinks },
      grpc: addresses === null ? null : { addresses },
      exchanges: exchangesOf(options, simulators),
    });
    const schemas = registrySchemas(stack?.registryUrl ?? '');
    const shown = new Samples(schemas);
    samples(shown);
    if (stack !== null) {
      progress('creating topics and schemas');
      await provision(configFile, { ...this.context(), started: (process) => this.add(process, true) });
    }

    // Each client is loaded only where it is wanted.
    await allOrFirstError([
      stack === null
        ? null
        : this.subscribe('kafka', listenerOf, async (context) => {
            const { subscribeKafka } = await import('./kafka-subscriber.ts');
            return subscribeKafka({ brokers: stack.brokers, schemas }, context);
          }),
      redis === null || !wants('redisStreams')
        ? null
        : this.subscribe('redisStreams', listenerOf, async (context) => {
            const { subscribeRedisStreams } = await import('./redis-streams-subscriber.ts');
            return subscribeRedisStreams(redis.address, context);
          }),
      redis === null || !wants('redisPubSub')
        ? null
        : this.subscribe('redisPubSub', listenerOf, async (context) => {
            const { subscribeRedisPubSub } = await import('./redis-pubsub-subscriber.ts');
            return subscribeRedisPubSub(redis.address, context);
          }),
    ]);
    signal.throwIfAborted();

    progress(`starting ${SHARDS} ingestor pods, each with its sidecar`);
    const pods = await allOrFirstError(
      Array.from({ length: SHARDS }, (_, index) => {
        const address = addresses?.[index];
        const flags = address === undefined ? [] : [`--grpc.port=${address.split(':')[1]}`];
        return Pod.start(index, configFile, flags, this.context());
      }),
    );
    progress('the pods answer');
    if (addresses !== null) {
      await this.subscribe('grpc', listenerOf, async (context) => {
        const { subscribeGrpc } = await import('./grpc-subscriber.ts');
        return subscribeGrpc(addresses, context);
      });
    }
    const servers = [
      ...(stack === null ? [] : [`Kafka ${stack.brokers.join(',')}`, `registry ${stack.registryUrl}`]),
      ...(redis === null ? [] : [`Redis ${redis.address}`]),
      ...(addresses === null ? [] : [`gRPC ${addresses.join(', ')}`]),
    ];
    return { servers, simulators, subscribers: this.subscribers, pods, samples: shown };
  }

  /** From now on the process may end. */
  release(process: ManagedProcess): void {
    this.released.add(process);
  }

  /** Tells of a server that died. In containers that is the container engine's affair. */
  checkServers(): void {
    if (this.redis !== null && this.redis.pid === undefined) {
      this.died(new ProcessDiedError(`redis-server at ${this.redis.address} ended`));
    }
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
    await Promise.race([
      Promise.all(this.subscribers.map((subscriber) => subscriber.stop())),
      delay(HASTE_MS, undefined, { ref: false }),
    ]);
    await Promise.all([this.redis?.remove(), this.stack?.stop()]);
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

  private async startRedis(): Promise<RedisServer> {
    const { progress } = this;
    progress('starting redis-server');
    // Nothing of it is kept: a log of all commands would only grow.
    this.redis = await startRedis({ settings: ['appendonly no'], onProgress: progress });
    progress(`redis-server answers at ${this.redis.address}`);
    return this.redis;
  }

  private async subscribe(
    sink: SinkName,
    listenerOf: (sink: SinkName) => SubscriberListener,
    start: (context: SubscriberContext) => Promise<Subscriber>,
  ): Promise<void> {
    const { title } = SINK_FACTS[sink];
    this.progress(`subscribing to ${title}`);
    const file = join(this.folder, 'subscribers.log');
    const log = (line: string): void => appendFileSync(file, `${new Date().toISOString()} ${line}\n`);
    try {
      this.subscribers.push(await start({ listener: listenerOf(sink), log }));
    } catch (error) {
      throw new Error(`can't subscribe to ${title}: ${(error as Error).message}`, { cause: error });
    }
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

/** An address for the gRPC server of each shard: all pods must know them all. */
async function freeAddresses(): Promise<string[]> {
  const addresses: string[] = [];
  for (let shard = 0; shard < SHARDS; shard++) addresses.push(`127.0.0.1:${await freePort()}`);
  return addresses;
}

function exchangesOf({ live }: DemoOptions, simulators: Simulators | null): PodConfiguration['exchanges'] {
  return Object.fromEntries(
    EXCHANGES.map((exchange) => [
      exchange,
      live || simulators === null
        ? { symbols: LIVE_SYMBOLS[exchange] }
        : { symbols: ['*'], endpoints: simulators.endpoints(exchange) },
    ]),
  );
}

/**
 * Resolves with all results. Rejects with the first error, but only when none is under way any more: none may
 * come up after the others were stopped.
 */
async function allOrFirstError<const T extends readonly (Promise<unknown> | null)[]>(
  starts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  let first: { readonly error: unknown } | null = null;
  const settled = await Promise.all(
    starts.map((start) =>
      start?.catch((error: unknown) => {
        first ??= { error };
      }),
    ),
  );
  if (first !== null) throw (first as { readonly error: unknown }).error;
  return settled.map((each) => each ?? null) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
