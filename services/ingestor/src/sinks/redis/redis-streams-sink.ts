import { randomBytes } from 'node:crypto';
import { isTickChannel, type SinkStatus } from '@tickline/schemas';
import { PASSING, retryDelay, SET_ASIDE } from '../retry-delay.ts';
import type { DeadLetter, Sink, SinkListener, SinkReading, SinkStream, StreamDescriptor } from '../sink.ts';
import { RedisCounters } from './counters.ts';
import { hashSlot, keyBeside } from './hash-slot.ts';
import { KeyTemplate } from './key-template.ts';
import { type LossRange, LossRanges } from './loss-ranges.ts';
import { type RedisFormat, type RedisStreamsOptions, withDefaults } from './options.ts';
import { QueueMemory } from './queue-memory.ts';
import { type RedisLink, RedisReplyError, startLink } from './redis-link.ts';
import { RedisStream } from './redis-stream.ts';
import { APPEND_SCRIPT } from './scripts.ts';
import { StreamLane } from './stream-lane.ts';
import { BatchName, type TickBatch } from './tick-batch.ts';

/** A Redis that does not answer for less is not worth an alarm. */
const UNHEALTHY_AFTER_MS = 5_000;
/** A mark that is missing for longer after its last use has expired, which proves nothing. */
const MARK_PROVES_MS = 1_800_000;
/** Answers that pass by themselves, or when somebody puts Redis in order: the batch waits. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'LOADING',
  'BUSY',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'READONLY',
  'MISCONF',
  'OOM',
  'NOREPLICAS',
  'NOPERM',
  'NOAUTH',
  'UNKILLABLE',
]);
/** Any other answer to one and the same batch: after so many it is given up, or it would block what follows. */
const MAX_REFUSALS = 5;

interface FlushWaiter {
  /** Lane → how many of its ticks must be settled. */
  readonly goals: ReadonlyMap<StreamLane, number>;
  readonly resolve: (all: boolean) => void;
}

/**
 * Ticks into Redis Streams, at least once and in order: one script call for each batch, one entry for each tick (fields
 * `s` symbol, `n` sequence, `v` the encoded tick, so that a consumer can tell symbols and holes without decoding), one
 * call on its way at a time (one for each slot of a Cluster). A call whose answer never came is repeated; the writer's
 * mark in Redis tells the script whether it ran already. What Redis can't take while the queue is full is told by
 * `lost`: this sink never pauses the sockets and never refuses a tick on behalf of others.
 */
export class RedisStreamsSink implements Sink {
  readonly name = 'redis-streams';
  readonly format: RedisFormat;
  readonly mayRefuse = false;
  readonly counters: RedisCounters = new RedisCounters();

  private readonly options: ReturnType<typeof withDefaults<RedisStreamsOptions>>;
  private readonly link: RedisLink;
  private readonly memory: QueueMemory;
  private readonly template: KeyTemplate;
  private readonly writer = randomBytes(6).toString('hex');
  private readonly lanes = new Map<number, StreamLane>();
  private readonly names = new Map<string, BatchName>();
  private readonly streams: RedisStream[] = [];
  private sheddingStreams: RedisStream[] = [];
  /** Keys that hold something else than a stream: told once. */
  private readonly wrongTypes = new Set<string>();
  private readonly waiters = new Set<FlushWaiter>();
  private listener: SinkListener | null = null;
  private closed = false;

  /** Throws an Error that names the setting when the key's template is not one. */
  constructor(options: RedisStreamsOptions, link: RedisLink) {
    this.options = withDefaults(options);
    this.format = options.format;
    this.link = link;
    this.template = new KeyTemplate(options.key);
    this.memory = new QueueMemory(options.queueBytes, options.batchBytes, () => this.relieved());
  }

  /** Connects; a Redis that is away keeps nobody waiting: ticks are queued for it. */
  async start(listener: SinkListener): Promise<void> {
    this.listener = listener;
    const heard = { up: () => this.pumpAll(), down: () => {} };
    await startLink(this.link, heard, this.options.clock);
  }

  /** After `start`. */
  stream(descriptor: StreamDescriptor): SinkStream {
    const key = this.template.nameOf(descriptor);
    let name = this.names.get(key);
    if (name === undefined) {
      name = new BatchName(key);
      this.names.set(key, name);
    }
    const stream = new RedisStream(
      descriptor,
      this.streams.length,
      this.laneOf(key),
      name,
      !isTickChannel(descriptor.topic),
      {
        memory: this.memory,
        counters: this.counters,
        format: this.format,
        shedding: (each) => this.sheddingStreams.push(each),
      },
    );
    this.streams.push(stream);
    return stream;
  }

  /** Frames that were not understood have no place here. */
  deadLetter(_letter: DeadLetter): void {}

  flush(budgetMs: number): Promise<boolean> {
    const goals = new Map([...this.lanes.values()].map((lane) => [lane, lane.settled + lane.ticks] as const));
    return new Promise((resolve) => {
      const waiter: FlushWaiter = {
        goals,
        resolve: (all) => {
          cancel();
          this.waiters.delete(waiter);
          resolve(all);
        },
      };
      const cancel = this.options.clock.after(budgetMs, () => waiter.resolve(false));
      this.waiters.add(waiter);
      this.pumpAll();
      this.checkFlushes();
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const waiter of [...this.waiters]) waiter.resolve(false);
    for (const lane of this.lanes.values()) lane.cancelSchedule();
    this.link.close();
    this.reportUnsent();
  }

  status(): SinkStatus {
    const { counters, memory } = this;
    return {
      sink: this.name,
      healthy: this.isHealthy(),
      detail: this.troubles().join('; ') || null,
      queuedRecords: this.queuedRecords,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      dropped: counters.shed + counters.lost,
    };
  }

  reading(): SinkReading {
    const { counters, memory } = this;
    return {
      sink: this.name,
      queuedRecords: this.queuedRecords,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      retries: counters.retries,
      errorsByCode: counters.errorsByCode,
      ackLatencyMs: counters.ackLatencyMs,
      conflated: counters.conflated,
      shed: counters.shed + counters.lost,
      deadLettersDropped: 0,
    };
  }

  /** A lane has its first tick, or a full batch: called from within `append`, so nothing is sent here. */
  waiting(lane: StreamLane): void {
    if (lane.failures > 0 || this.closed) return;
    lane.cancelSchedule();
    lane.isScheduled = true;
    const { lingerMs, clock } = this.options;
    const run = () => {
      lane.isScheduled = false;
      this.pump(lane);
    };
    if (lingerMs === 0 || lane.hasFull) {
      const immediate = setImmediate(run);
      lane.cancelSchedule = () => clearImmediate(immediate);
    } else {
      lane.cancelSchedule = clock.after(lingerMs, run);
    }
  }

  private get queuedRecords(): number {
    let ticks = 0;
    for (const lane of this.lanes.values()) ticks += lane.ticks;
    return ticks;
  }

  private laneOf(key: string): StreamLane {
    const { isCluster } = this.options;
    const slot = isCluster ? hashSlot(key) : 0;
    let lane = this.lanes.get(slot);
    if (lane === undefined) {
      const suffix = `writer:${this.writer}`;
      const mark = isCluster ? keyBeside(key, `:${suffix}`) : `${this.template.beginning}${suffix}`;
      lane = new StreamLane(mark, this.memory, this);
      this.lanes.set(slot, lane);
    }
    return lane;
  }

  private pumpAll(): void {
    for (const lane of this.lanes.values()) this.pump(lane);
  }

  private pump(lane: StreamLane): void {
    if (lane.isBusy || this.closed || !this.link.isUp) return;
    lane.cancelSchedule();
    lane.isScheduled = false;
    const batch = lane.takeHead();
    if (batch !== null) void this.send(lane, batch);
  }

  private async send(lane: StreamLane, batch: TickBatch): Promise<void> {
    const { clock } = this.options;
    const { payload } = batch;
    lane.isBusy = true;
    // The client writes a copy.
    this.memory.add(payload.length);
    const sentAt = clock.now();
    let answer: unknown = null;
    let failure: unknown = null;
    try {
      const keys = [lane.markKey, ...batch.names.map(({ text }) => text)];
      answer = await this.link.run(APPEND_SCRIPT, keys, [String(batch.number), payload, ...this.limits()]);
    } catch (error) {
      failure = error;
    }
    lane.isBusy = false;
    this.memory.add(-payload.length);
    if (this.closed) return;
    if (failure === null) {
      this.counters.ackLatencyMs.observe(clock.now() - sentAt);
      this.confirmed(lane, batch, answer);
      this.settled(lane);
    } else if (failure instanceof RedisReplyError) this.refused(lane, batch, failure);
    else {
      this.counters.countError('CONNECTION');
      this.counters.retries++;
      // It is sent again when the connection is back; where that one is (a node of a Cluster was away), after a pause.
      if (this.link.isUp) this.pause(lane, false);
    }
  }

  private limits(): [string, string] {
    const { maxLength, maxAgeMs } = this.options;
    const text = (limit: number) => (limit === Number.POSITIVE_INFINITY ? '0' : String(limit));
    return [text(maxLength), text(maxAgeMs)];
  }

  private confirmed(lane: StreamLane, batch: TickBatch, answer: unknown): void {
    const [mark, ...refusals] = Array.isArray(answer) ? (answer as unknown[]) : [];
    const now = this.options.clock.now();
    if (typeof mark === 'number') this.checkMark(lane, mark, now);
    let written = batch.count;
    for (let index = 0; index + 1 < refusals.length; index += 2) {
      const name = Number(refusals[index]);
      const ranges = new LossRanges().addBatch(batch, name);
      written -= this.wrongType(batch.names[name - 1]!.text, String(refusals[index + 1]), ranges);
    }
    this.counters.records += written;
    this.counters.batches++;
    lane.history.add(batch);
    lane.confirmed = batch.number;
    lane.confirmedAt = now;
    if (lane.trouble !== null) {
      this.options.log.info('redis-takes-again', 'Redis takes entries again', { sink: this.name });
    }
    lane.trouble = null;
    lane.failures = 0;
  }

  private settled(lane: StreamLane): void {
    lane.settleHead();
    if (this.waiters.size > 0) this.checkFlushes();
    // What came meanwhile has waited long enough.
    if (!lane.isEmpty) this.pump(lane);
  }

  /** Redis answered that it did not carry out the call. */
  private refused(lane: StreamLane, batch: TickBatch, error: RedisReplyError): void {
    this.counters.countError(error.code);
    this.counters.retries++;
    const message = `Redis takes no entries: ${error.advice}`;
    if (lane.trouble?.message !== message) {
      this.options.log.error('redis-refuses', message, { sink: this.name });
    }
    lane.trouble = { since: lane.trouble?.since ?? this.options.clock.now(), message };
    if (!PASSING_CODES.has(error.code) && lane.failures + 1 >= MAX_REFUSALS) {
      this.tellLost(new LossRanges().addBatch(batch), `Redis refused the batch: ${error.message}`);
      lane.failures = 0;
      this.settled(lane);
      return;
    }
    this.pause(lane, error.code === 'NOPERM' || error.code === 'NOAUTH');
  }

  private pause(lane: StreamLane, isLong: boolean): void {
    const { clock, random } = this.options;
    lane.failures++;
    lane.cancelSchedule();
    lane.isScheduled = true;
    lane.cancelSchedule = clock.after(retryDelay(lane.failures, isLong ? SET_ASIDE : PASSING, random), () => {
      lane.isScheduled = false;
      this.pump(lane);
    });
  }

  /** Whether Redis still has what it confirmed. */
  private checkMark(lane: StreamLane, mark: number, now: number): void {
    if (mark >= lane.confirmed || lane.confirmed === 0) return;
    if (mark === -1 && now - lane.confirmedAt > MARK_PROVES_MS) return;
    const { ranges, isComplete } = lane.history.takeAfter(mark);
    const ticks = this.tellLost(ranges, 'Redis lost entries that it had confirmed');
    this.counters.records -= ticks;
    const least = isComplete ? '' : 'at least ';
    this.options.log.error(
      'redis-lost-entries',
      `Redis came back without ${least}${ticks} entries that it had confirmed: see its persistence (appendonly) and replication`,
      { sink: this.name },
    );
  }

  private wrongType(key: string, message: string, ranges: LossRanges): number {
    this.counters.countError('WRONGTYPE');
    if (!this.wrongTypes.has(key)) {
      this.wrongTypes.add(key);
      const text = `the key ${key} holds something else than a stream: delete it, or change redis.streams.key`;
      this.options.log.error('redis-wrong-type', text, { sink: this.name });
    }
    return this.tellLost(ranges, message);
  }

  /** Room again: what was shed meanwhile is told. Never from within `append`. */
  private relieved(): void {
    queueMicrotask(() => {
      if (!this.closed) this.tellShed();
    });
  }

  private tellShed(): void {
    const streams = this.sheddingStreams;
    this.sheddingStreams = [];
    for (const stream of streams) {
      const shed = stream.takeShed();
      if (shed !== null) this.tell(stream, shed, 'queue full (redis.streams.queueBytes)');
    }
  }

  private tellLost(ranges: LossRanges, reason: string): number {
    let ticks = 0;
    for (const [number, range] of ranges.byStream) {
      ticks += range.count;
      this.tell(this.streams[number]!, range, reason);
    }
    this.counters.lost += ticks;
    return ticks;
  }

  private tell(stream: RedisStream, { first, last, count }: LossRange, reason: string): void {
    this.listener?.lost(stream.descriptor, {
      firstSequence: first,
      lastSequence: last,
      count,
      reason: `${this.name}: ${reason}`,
    });
  }

  /** What was still queued is lost: it is told by stream. */
  private reportUnsent(): void {
    const ranges = new LossRanges();
    for (const lane of this.lanes.values()) {
      for (let batch = lane.takeHead(); batch !== null; batch = lane.takeHead()) {
        ranges.addBatch(batch);
        lane.settleHead();
      }
      lane.forgetHeld();
    }
    for (const stream of this.streams) {
      const held = stream.close();
      if (held !== null) ranges.add(stream.number, held.first, held.last, held.count);
    }
    this.tellLost(ranges, 'not confirmed when the sink was closed');
    this.tellShed();
  }

  private checkFlushes(): void {
    for (const waiter of [...this.waiters]) {
      if ([...waiter.goals].every(([lane, goal]) => lane.settled >= goal)) waiter.resolve(true);
    }
  }

  private isHealthy(): boolean {
    if (this.closed || this.listener === null || this.memory.isShedding) return false;
    const now = this.options.clock.now();
    const long = (trouble: { since: number } | null) =>
      trouble !== null && now - trouble.since > UNHEALTHY_AFTER_MS;
    // Before the first connection nothing is known to be well.
    if (!this.link.isUp && this.counters.batches === 0) return false;
    return !long(this.link.trouble) && ![...this.lanes.values()].some((lane) => long(lane.trouble));
  }

  /** What is wrong, for people. */
  private troubles(): string[] {
    if (this.listener === null) return ['not started'];
    const texts = new Set<string>();
    if (this.link.trouble !== null) texts.add(this.link.trouble.message);
    for (const { trouble } of this.lanes.values()) if (trouble !== null) texts.add(trouble.message);
    if (this.memory.isShedding) texts.add('the queue is full: ticks are shed (redis.streams.queueBytes)');
    return [...texts].slice(0, 3);
  }
}
