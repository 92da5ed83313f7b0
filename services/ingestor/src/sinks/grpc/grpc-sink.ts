import type { SinkStatus } from '@tickline/schemas';
import {
  type Sink,
  type SinkListener,
  type SinkReading,
  SinkRefusedError,
  type SinkStream,
  type StreamDescriptor,
  type TickFormat,
} from '../sink.ts';
import type { SinkContext } from '../sink-context.ts';
import { ChunkMemory } from './chunk-memory.ts';
import { Clients } from './clients.ts';
import { GrpcCounters } from './counters.ts';
import type { GrpcServer } from './server.ts';
import type { GrpcSettings } from './settings.ts';

/** Longest that a drain waits for clients: one that does not read must not hold up the pod. */
const MAX_DRAIN_MS = 5_000;

/** The gRPC sink can't start. The message names the setting. */
export class GrpcSinkError extends SinkRefusedError {
  override name = 'GrpcSinkError';
}

/**
 * Ticks to gRPC clients as they come: at most once each, in order, whole or the stream ends. Every client has
 * a bounded queue of its own, so that none can slow the pod or another client.
 */
export class GrpcSink implements Sink {
  readonly name = 'grpc';
  readonly format: TickFormat = 'protobuf';
  readonly mayRefuse = false;
  readonly counters: GrpcCounters = new GrpcCounters();
  private readonly settings: GrpcSettings;
  private readonly context: SinkContext;
  private readonly memory: ChunkMemory;
  private readonly clients: Clients;
  private server: GrpcServer | null = null;
  private opened: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(settings: GrpcSettings, context: SinkContext) {
    this.settings = settings;
    this.context = context;
    this.memory = new ChunkMemory(settings.queueBytes);
    this.clients = new Clients(settings, this.memory, this.counters);
  }

  /** host:port where clients connect, with the port that was free when the configuration says 0; null before `start`. */
  get address(): string | null {
    return this.server?.address ?? null;
  }

  /** Listens. Rejects with GrpcSinkError for files that can't be read and a port that is taken. */
  start(_listener: SinkListener): Promise<void> {
    this.opened = this.open();
    return this.opened;
  }

  stream(descriptor: StreamDescriptor): SinkStream {
    return this.clients.openStream(descriptor);
  }

  /** Clients get no frames that were not understood. */
  deadLetter(): void {}

  /** Takes no more clients and waits until those there are have what waits for them, but not long. */
  flush(budgetMs: number): Promise<boolean> {
    this.server?.drain();
    return this.clients.flush(Math.min(budgetMs, MAX_DRAIN_MS)).then((all) => {
      // What a client has not read by now is counted, and is no reason to call the pod's end unclean.
      this.clients.refuseAll({ code: 'UNAVAILABLE', message: 'the pod is going: subscribe again' });
      return all;
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.clients.refuseAll({ code: 'UNAVAILABLE', message: 'the pod is going: subscribe again' });
    // A pod may be told to stop, or another sink be refused, while the library is loaded: a port that opens after
    // this would keep the process alive.
    await this.opened.catch(() => undefined);
    await this.server?.close();
  }

  status(): SinkStatus {
    const { counters, memory } = this;
    const isServing = this.server !== null && !this.isClosed;
    return {
      sink: this.name,
      healthy: isServing,
      detail: isServing ? null : 'not started',
      queuedRecords: this.clients.queuedTicks,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.delivered,
      dropped: counters.undelivered,
    };
  }

  reading(): SinkReading & { readonly clients: number } {
    const { counters, memory } = this;
    return {
      sink: this.name,
      clients: this.clients.count,
      queuedRecords: this.clients.queuedTicks,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.delivered,
      retries: 0,
      errorsByCode: counters.errorsByCode,
      ackLatencyMs: counters.deliveryMs,
      conflated: counters.conflated,
      shed: counters.undelivered,
      deadLettersDropped: 0,
    };
  }

  private async open(): Promise<void> {
    // Loaded by those only who want it: the library takes a tenth of a second and 10 MB.
    const { GrpcServer } = await import('./server.ts');
    if (this.isClosed) return;
    try {
      this.server = await GrpcServer.start(this.settings, this.context, this.clients, this.counters);
    } catch (error) {
      throw new GrpcSinkError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    const { address } = this.server;
    this.context.log.info('grpc-listening', `gRPC clients connect to ${address}`, {
      sink: this.name,
      data: { address, tls: this.settings.tls.enabled, token: this.settings.tokenFile !== null },
    });
  }
}
