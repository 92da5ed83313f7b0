import type { SinkStatus } from '@tickline/schemas';
import type {
  DeadLetter,
  EncodedTick,
  Sink,
  SinkListener,
  SinkReading,
  SinkStream,
  StreamDescriptor,
} from '../sink.ts';
import { BatchQueue } from './batch-queue.ts';
import { RedisCounters } from './counters.ts';
import { KeyTemplate } from './key-template.ts';
import { type RedisFormat, type RedisPubSubOptions, withDefaults } from './options.ts';
import { QueueMemory } from './queue-memory.ts';
import { type RedisLink, RedisReplyError, startLink } from './redis-link.ts';
import { PUBLISH_SCRIPT } from './scripts.ts';
import { BatchName, type TickBatch } from './tick-batch.ts';

/** Without a drop for so long, dropping has ended. */
const QUIET_MS = 5_000;
const NO_SYMBOL = new Uint8Array(0);

/**
 * Ticks to Redis Pub/Sub, at most once: published in batches while Redis keeps up, and dropped, counted, while it
 * does not or is away. Nothing waits for it, and nothing is repeated: subscribers hear what is new.
 */
export class RedisPubSubSink implements Sink {
  readonly name = 'redis-pubsub';
  readonly format: RedisFormat;
  readonly mayRefuse = false;
  readonly counters: RedisCounters = new RedisCounters();

  private readonly options: ReturnType<typeof withDefaults<RedisPubSubOptions>>;
  private readonly link: RedisLink;
  private readonly memory: QueueMemory;
  private readonly queue: BatchQueue;
  private readonly template: KeyTemplate;
  private waiters: { readonly resolve: (all: boolean) => void }[] = [];
  private isStarted = false;
  private isBusy = false;
  private cancelSchedule: (() => void) | null = null;
  private closed = false;
  /** Why ticks are dropped, and when the last one was; null while none is. */
  private dropping: { reason: string; count: number; lastAt: number } | null = null;

  /** Throws an Error that names the setting when the channel's template is not one. */
  constructor(options: RedisPubSubOptions, link: RedisLink) {
    this.options = withDefaults(options);
    this.format = options.format;
    this.link = link;
    this.template = new KeyTemplate(options.channel);
    this.memory = new QueueMemory(options.queueBytes, options.batchBytes, () => {});
    this.queue = new BatchQueue(this.memory);
  }

  /** Connects; a Redis that is away keeps nobody waiting. */
  async start(_listener: SinkListener): Promise<void> {
    this.isStarted = true;
    const heard = { up: () => this.pump(), down: () => this.dropQueued('the connection to Redis was lost') };
    await startLink(this.link, heard, this.options.clock);
  }

  /** After `start`. */
  stream(descriptor: StreamDescriptor): SinkStream {
    const channel = new BatchName(this.template.nameOf(descriptor));
    return { append: (tick) => this.append(channel, tick) };
  }

  /** Frames that were not understood have no place here. */
  deadLetter(_letter: DeadLetter): void {}

  /** True when all that was taken is published; what was dropped before is not waited for. */
  flush(budgetMs: number): Promise<boolean> {
    if (this.queue.isEmpty) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = {
        resolve: (all: boolean) => {
          cancel();
          this.waiters = this.waiters.filter((each) => each !== waiter);
          resolve(all);
        },
      };
      const cancel = this.options.clock.after(budgetMs, () => waiter.resolve(false));
      this.waiters.push(waiter);
      this.pump();
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.cancelSchedule?.();
    this.link.close();
    this.dropQueued('the sink was closed');
    for (const waiter of [...this.waiters]) waiter.resolve(false);
  }

  status(): SinkStatus {
    const { counters, memory } = this;
    return {
      sink: this.name,
      healthy: this.isStarted && !this.closed && this.link.isUp && this.dropping === null,
      detail: this.troubles().join('; ') || null,
      queuedRecords: this.queue.ticks,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      dropped: counters.shed,
    };
  }

  reading(): SinkReading {
    const { counters, memory } = this;
    return {
      sink: this.name,
      queuedRecords: this.queue.ticks,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      retries: 0,
      errorsByCode: counters.errorsByCode,
      ackLatencyMs: counters.ackLatencyMs,
      conflated: 0,
      shed: counters.shed,
      deadLettersDropped: 0,
    };
  }

  /** Always true: what is dropped is counted here, and nobody else's loss. */
  private append(channel: BatchName, tick: EncodedTick): boolean {
    const { bytes, start, end, sequence } = tick;
    const length = end - start;
    const batch = this.link.isUp && !this.closed ? this.queue.roomFor(length, true) : null;
    if (batch === null) {
      this.counters.shed++;
      this.noteDrop();
      return true;
    }
    const at = batch.begin(channel, 0, NO_SYMBOL, sequence, 0);
    batch.bytes.set(bytes.subarray(start, end), at);
    batch.finish(at, at + length);
    if (!this.isBusy && this.cancelSchedule === null) this.schedule();
    return true;
  }

  private schedule(): void {
    const { lingerMs, clock } = this.options;
    const run = () => {
      this.cancelSchedule = null;
      this.pump();
    };
    if (lingerMs === 0) {
      const immediate = setImmediate(run);
      this.cancelSchedule = () => clearImmediate(immediate);
    } else {
      this.cancelSchedule = clock.after(lingerMs, run);
    }
  }

  private pump(): void {
    if (this.isBusy || this.closed || !this.link.isUp) return;
    this.cancelSchedule?.();
    this.cancelSchedule = null;
    const batch = this.queue.takeHead();
    if (batch !== null) void this.send(batch);
  }

  private async send(batch: TickBatch): Promise<void> {
    const { clock } = this.options;
    const { payload } = batch;
    this.isBusy = true;
    // The client writes a copy.
    this.memory.add(payload.length);
    const sentAt = clock.now();
    let refused = batch.count;
    let reason = '';
    try {
      const answer = await this.link.run(
        PUBLISH_SCRIPT,
        [],
        [payload, ...batch.names.map(({ text }) => text)],
      );
      const [count, why] = Array.isArray(answer) ? (answer as unknown[]) : [];
      refused = Number(count);
      if (refused > 0) {
        const error = new RedisReplyError(String(why));
        reason = error.advice;
        this.counters.countError(error.code);
      }
      this.counters.batches++;
      this.counters.ackLatencyMs.observe(clock.now() - sentAt);
    } catch (error) {
      reason = error instanceof RedisReplyError ? error.advice : String(error);
      this.counters.countError(error instanceof RedisReplyError ? error.code : 'CONNECTION');
    }
    this.isBusy = false;
    this.memory.add(-payload.length);
    this.counters.records += batch.count - refused;
    this.queue.releaseHead();
    if (refused > 0) this.dropped(refused, `Redis did not publish: ${reason}`);
    else this.noteFlow();
    if (!this.link.isUp) this.dropQueued('the connection to Redis was lost');
    if (this.queue.isEmpty) for (const waiter of [...this.waiters]) waiter.resolve(true);
    else this.pump();
  }

  /** What waits is stale when Redis is back. The batch on its way is dealt with where it is awaited. */
  private dropQueued(reason: string): void {
    if (this.isBusy) return;
    let count = 0;
    for (let batch = this.queue.takeHead(); batch !== null; batch = this.queue.takeHead()) {
      count += batch.count;
      this.queue.releaseHead();
    }
    if (count > 0) this.dropped(count, reason);
  }

  private dropped(count: number, reason: string): void {
    this.counters.shed += count;
    this.noteDrop(count, reason);
  }

  /** One line when dropping begins; the connection's own troubles have their line already. */
  private noteDrop(count = 1, reason = 'Redis does not keep up (redis.pubsub.queueBytes)'): void {
    const lastAt = this.options.clock.now();
    if (this.dropping !== null) {
      this.dropping.lastAt = lastAt;
      this.dropping.count += count;
      return;
    }
    const why = this.link.isUp || this.link.trouble === null ? reason : this.link.trouble.message;
    this.dropping = { reason: why, count, lastAt };
    if (!this.closed)
      this.options.log.warn('redis-pubsub-drops', `ticks are dropped: ${why}`, { sink: this.name });
  }

  private noteFlow(): void {
    const { dropping } = this;
    if (dropping === null || this.options.clock.now() - dropping.lastAt < QUIET_MS) return;
    this.dropping = null;
    this.options.log.info('redis-pubsub-flows', `ticks are published again; ${dropping.count} were dropped`, {
      sink: this.name,
    });
  }

  /** What is wrong, for people. */
  private troubles(): string[] {
    if (!this.isStarted) return ['not started'];
    if (this.link.trouble !== null) return [this.link.trouble.message];
    return this.dropping === null ? [] : [`ticks are dropped: ${this.dropping.reason}`];
  }
}
