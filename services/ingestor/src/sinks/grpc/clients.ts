import type { SinkStream, StreamDescriptor } from '../sink.ts';
import type { ChunkMemory } from './chunk-memory.ts';
import { type BatchOutlet, ClientQueue, type QueueOwner } from './client-queue.ts';
import type { GrpcCounters } from './counters.ts';
import { GrpcStream } from './grpc-stream.ts';
import type { Refusal } from './refusal.ts';
import type { SubscribePlan } from './subscribe-plan.ts';

/** One Subscribe call. */
export interface ClientCall extends BatchOutlet {
  /** Ends the call; nothing is written afterwards. */
  refuse(refusal: Refusal): void;
}

interface Client {
  readonly queue: ClientQueue;
  readonly plan: SubscribePlan;
  readonly call: ClientCall;
}

/** Limits of all clients. */
export interface ClientLimits {
  readonly maxClients: number;
  readonly clientQueueBytes: number;
}

/** All Subscribe calls and the streams that feed them. */
export class Clients implements QueueOwner {
  readonly memory: ChunkMemory;
  readonly counters: GrpcCounters;
  private readonly limits: ClientLimits;
  private readonly streams: GrpcStream[] = [];
  private readonly clients = new Map<ClientQueue, Client>();
  private toFlush: ClientQueue[] = [];
  private isScheduled = false;
  private readonly whenEmpty = new Set<() => void>();

  constructor(limits: ClientLimits, memory: ChunkMemory, counters: GrpcCounters) {
    this.limits = limits;
    this.memory = memory;
    this.counters = counters;
  }

  get count(): number {
    return this.clients.size;
  }

  get queuedTicks(): number {
    let sum = 0;
    for (const queue of this.clients.keys()) sum += queue.queuedTicks;
    return sum;
  }

  openStream(descriptor: StreamDescriptor): SinkStream {
    const stream = new GrpcStream(descriptor);
    this.streams.push(stream);
    for (const client of this.clients.values()) this.attach(client, stream, false);
    return stream;
  }

  /** Why no further client is taken; null when there is room. */
  full(): Refusal | null {
    const { maxClients } = this.limits;
    if (this.clients.size < maxClients) return null;
    return {
      code: 'RESOURCE_EXHAUSTED',
      message: `the pod serves ${maxClients} Subscribe calls, the most it may (grpc.maxClients): try again later`,
    };
  }

  /** Begins to serve a call; the function ends that without a word to the client. */
  serve(plan: SubscribePlan, call: ClientCall): () => void {
    const queue = new ClientQueue(this.limits.clientQueueBytes, this, call);
    const client: Client = { queue, plan, call };
    this.clients.set(queue, client);
    for (const stream of this.streams) this.attach(client, stream, plan.lastValueFirst);
    return () => {
      this.leave(client);
      queue.abandon();
    };
  }

  /** Resolves true when all clients have what waited for them, false when the time is over. */
  flush(budgetMs: number): Promise<boolean> {
    if (this.queuedTicks === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (all: boolean) => {
        clearTimeout(timer);
        this.whenEmpty.delete(check);
        resolve(all);
      };
      const check = () => {
        if (this.queuedTicks === 0) done(true);
      };
      const timer = setTimeout(() => done(false), budgetMs);
      this.whenEmpty.add(check);
    });
  }

  /** Ends all calls with the same words. */
  refuseAll(refusal: Refusal): void {
    for (const client of [...this.clients.values()]) this.refuse(client, refusal);
  }

  // For the queues.

  now(): number {
    return performance.now();
  }

  waiting(queue: ClientQueue): void {
    this.toFlush.push(queue);
    if (this.isScheduled) return;
    this.isScheduled = true;
    // After the sockets that are readable now: their ticks share the batch.
    setImmediate(this.flushWaiting);
  }

  overflow(queue: ClientQueue): void {
    const client = this.clients.get(queue);
    if (client !== undefined) this.tooSlow(client, 'grpc.clientQueueBytes');
  }

  exhausted(): void {
    let longest: Client | null = null;
    for (const client of this.clients.values()) {
      if (longest === null || client.queue.queuedBytes > longest.queue.queuedBytes) longest = client;
    }
    if (longest !== null && longest.queue.queuedBytes > 0) this.tooSlow(longest, 'grpc.queueBytes');
  }

  emptied(): void {
    for (const check of [...this.whenEmpty]) check();
  }

  private readonly flushWaiting = (): void => {
    this.isScheduled = false;
    const queues = this.toFlush;
    this.toFlush = [];
    for (const queue of queues) {
      queue.isListed = false;
      queue.flush();
    }
  };

  private attach({ plan, queue }: Client, stream: GrpcStream, lastValueFirst: boolean): void {
    const { exchange, symbol, channel } = stream.descriptor;
    if (plan.fits(exchange, symbol, channel)) stream.add(queue, plan.conflate, lastValueFirst);
  }

  private tooSlow(client: Client, setting: string): void {
    const queuedBytes = client.queue.queuedBytes;
    const undelivered = this.leave(client);
    const limit = setting === 'grpc.queueBytes' ? this.memory.limit : client.queue.limitBytes;
    client.call.refuse({
      code: 'RESOURCE_EXHAUSTED',
      message: `the client reads too slowly: ${undelivered} ticks waited for it in ${queuedBytes} bytes, and ticks would be lost (${setting} is ${limit}); subscribe again, to fewer symbols or with conflate`,
      detail: {
        type: 'TooSlow',
        value: {
          undelivered: BigInt(undelivered),
          queuedBytes: BigInt(queuedBytes),
          queueLimitBytes: BigInt(limit),
        },
      },
    });
  }

  private refuse(client: Client, refusal: Refusal): void {
    this.leave(client);
    client.call.refuse(refusal);
  }

  /** Returns how many ticks the client does not get. */
  private leave(client: Client): number {
    if (!this.clients.delete(client.queue)) return 0;
    const undelivered = client.queue.end();
    this.counters.undelivered += undelivered;
    for (const stream of this.streams) stream.remove(client.queue);
    this.emptied();
    return undelivered;
  }
}
