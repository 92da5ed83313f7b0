import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionError } from '../connection/connection-error.ts';
import { behindBatches, type PartitionPosition } from './batch-decoder.ts';
import { decodeFetch, encodeFetch, type FetchAnswer } from './fetch-request.ts';
import type { PartitionRange } from './records.ts';

/** What the pool asks of a cluster. */
export interface FetchCluster {
  /** Broker that leads each partition of a topic, by partition. `refresh`: what was known is out of date. */
  leaders(topic: string, refresh: boolean): Promise<ReadonlyMap<number, number>>;
  /** Sends a Fetch request's body to a broker. Rejects with ConnectionError. */
  fetch(nodeId: number, body: Buffer, maxWaitMs: number): Promise<Buffer>;
}

/** Offsets that are wanted and not there: retention was faster, or they were never written. */
export class OffsetOutOfRangeError extends Error {
  override name = 'OffsetOutOfRangeError';

  constructor(topic: string, partition: number, offset: number, low: number, high: number) {
    const range =
      low === high
        ? 'it is empty now'
        : low < 0 || high < 0
          ? 'its offsets are others now'
          : `it has offsets ${low} to ${high - 1} now`;
    super(`${topic} partition ${partition} has no offset ${offset}: ${range}`);
  }
}

/** Batches of one partition, as a broker sent them. */
export interface RecordSet {
  /** Place of the range in the list that the pool was made of. */
  readonly index: number;
  readonly bytes: Buffer;
}

/** How much is fetched ahead. */
export interface FetchPoolOptions {
  /**
   * `any`: all partitions at once, within the budget. `ranges`: one range after the other; the next one's first
   * answer is fetched while the last one's is read. `each`: every partition has something ready, as a merge needs.
   */
  readonly order: 'any' | 'ranges' | 'each';
  readonly signal: AbortSignal;
}

/** Most that waits to be read, beside one answer of each broker. */
const BUDGET_BYTES = 16 * 1024 * 1024;
const ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;
const MIN_PARTITION_BYTES = 64 * 1024;
/** How long a broker may wait for records where there are none yet. */
const MAX_WAIT_MS = 500;
/** For so long a broker may be away, or a partition without a leader; a broker that was killed needs 8 s to come back. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 200;
/** For so long a new leader may say that there is less than there was. */
const NEW_LEADER_MS = 2_000;

const OFFSET_OUT_OF_RANGE = 1;
const TOPIC_AUTHORIZATION_FAILED = 29;
/**
 * What passes when metadata are asked for again: unknown topic (just made, or gone), leader not available, not the
 * leader, replica not available, request timed out, storage error, fenced and unknown leader epoch, offset not
 * available.
 */
const PASSING: ReadonlySet<number> = new Set([3, 5, 6, 7, 9, 56, 74, 75, 76, 78]);

interface Range extends PartitionPosition {
  readonly index: number;
  /** From where the next fetch reads on. */
  fetchOffset: number;
  leader: number;
  ready: RecordSet[];
  readyBytes: number;
  isInFlight: boolean;
  /** performance.now() of the first failure since the last answer; null: none. */
  failingSince: number | null;
}

/**
 * Fetches ranges of partitions ahead of who reads them: one request in flight for each broker, the next one sent
 * while the last answer is read. What waits is bounded by bytes.
 */
export class FetchPool {
  /** Bytes of record batches that arrived. */
  bytes = 0;
  private readonly cluster: FetchCluster;
  private readonly options: FetchPoolOptions;
  private readonly ranges: readonly Range[];
  private readonly partitionBytes: number;
  private readonly lanes = new Map<number, Lane>();
  private readyBytes = 0;
  /** Ranges with something ready, in the order in which it came. */
  private readonly order: Range[] = [];
  private failure: unknown = null;
  private isClosed = false;
  private waiting: (() => void) | null = null;
  private readonly onAbort = (): void => this.fail(this.options.signal.reason);

  constructor(cluster: FetchCluster, ranges: readonly PartitionRange[], options: FetchPoolOptions) {
    this.cluster = cluster;
    this.options = options;
    this.ranges = ranges.map(({ topic, partition, start, end }, index) => ({
      topic,
      partition,
      position: start,
      end,
      index,
      fetchOffset: start,
      leader: -1,
      ready: [],
      readyBytes: 0,
      isInFlight: false,
      failingSince: null,
    }));
    const share = Math.floor(BUDGET_BYTES / Math.max(1, ranges.length));
    this.partitionBytes = Math.min(MAX_PARTITION_BYTES, Math.max(MIN_PARTITION_BYTES, share));
  }

  /** Finds the leaders and begins to fetch. */
  async open(): Promise<void> {
    const { signal } = this.options;
    signal.throwIfAborted();
    signal.addEventListener('abort', this.onAbort);
    await this.findLeaders(new Set(this.ranges.map(({ topic }) => topic)), false);
    this.wakeLanes();
  }

  /** Where a range's reading stands; the reader moves `position` on. */
  positionOf(index: number): PartitionPosition {
    return this.ranges[index]!;
  }

  /** The next batches of any range; null when all are read to their end. */
  take(): Promise<RecordSet | null> {
    return this.wait(
      () => this.order[0],
      () => this.ranges.every(isDone),
    );
  }

  /** The next batches of one range; null when it is read to its end. */
  takeOf(index: number): Promise<RecordSet | null> {
    const range = this.ranges[index]!;
    return this.wait(
      () => (range.ready.length > 0 ? range : undefined),
      () => isDone(range),
    );
  }

  /** True when `takeOf` has something, or nothing more, without waiting. */
  hasReady(index: number): boolean {
    const range = this.ranges[index]!;
    return range.ready.length > 0 || isDone(range);
  }

  close(): void {
    this.isClosed = true;
    this.options.signal.removeEventListener('abort', this.onAbort);
    for (const lane of this.lanes.values()) lane.wake();
    this.waiting?.();
  }

  private async wait(ready: () => Range | undefined, isOver: () => boolean): Promise<RecordSet | null> {
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const range = ready();
      if (range !== undefined) return this.handOut(range);
      if (isOver() || this.isClosed) return null;
      // What is wanted may have changed by what was read.
      this.wakeLanes();
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
      this.waiting = null;
    }
  }

  private handOut(range: Range): RecordSet {
    const set = range.ready.shift()!;
    this.order.splice(this.order.indexOf(range), 1);
    range.readyBytes -= set.bytes.length;
    this.readyBytes -= set.bytes.length;
    this.wakeLanes();
    return set;
  }

  private isDue(range: Range): boolean {
    if (range.isInFlight || range.fetchOffset >= range.end) return false;
    const { order } = this.options;
    if (order === 'ranges' && !this.isNear(range)) return false;
    if (this.readyBytes < BUDGET_BYTES && range.readyBytes < this.partitionBytes) return true;
    return order === 'each' && range.ready.length === 0;
  }

  /** Whether a range is the first that is not fetched to its end, in the order of ranges. */
  private isNear(range: Range): boolean {
    for (let index = range.index - 1; index >= 0; index--) {
      const before = this.ranges[index]!;
      if (before.fetchOffset < before.end) return false;
    }
    return true;
  }

  private wakeLanes(): void {
    for (const range of this.ranges)
      if (range.leader >= 0 && this.isDue(range)) this.lane(range.leader).wake();
  }

  private lane(nodeId: number): Lane {
    let lane = this.lanes.get(nodeId);
    if (lane === undefined) {
      lane = new Lane(() => this.round(nodeId));
      this.lanes.set(nodeId, lane);
    }
    return lane;
  }

  /** One request to one broker; false when nothing is to be asked of it now. */
  private async round(nodeId: number): Promise<boolean> {
    if (this.isClosed || this.failure !== null) return false;
    const led = this.ranges.filter((range) => range.leader === nodeId && this.isDue(range));
    // What is short of records first: a broker fills its answer in the order of the request (KIP-74).
    led.sort((a, b) => a.readyBytes - b.readyBytes);
    // Of a partition that is named twice a broker would see only one; the other range's turn comes.
    const named = new Set<string>();
    const due = led.filter(({ topic, partition }) => {
      const { size } = named;
      return named.add(`${partition} ${topic}`).size > size;
    });
    if (due.length === 0) return false;
    for (const range of due) range.isInFlight = true;
    try {
      await this.fetchOnce(nodeId, due);
    } catch (error) {
      this.fail(error);
    }
    for (const range of due) range.isInFlight = false;
    // Some may have another leader now.
    this.wakeLanes();
    return true;
  }

  private async fetchOnce(nodeId: number, due: readonly Range[]): Promise<void> {
    const request = encodeFetch(
      due.map(({ topic, partition, fetchOffset }) => ({ topic, partition, offset: fetchOffset })),
      { maxWaitMs: MAX_WAIT_MS, maxBytes: ANSWER_BYTES, partitionBytes: this.partitionBytes },
    );
    let answers: FetchAnswer[];
    try {
      answers = decodeFetch(await this.cluster.fetch(nodeId, request, MAX_WAIT_MS));
    } catch (error) {
      // A wrong login does not pass; a broker that is away may.
      if (!(error instanceof ConnectionError) || error.setting !== 'kafka.brokers') throw error;
      await this.retry(due, error);
      return;
    }
    const failed: Range[] = [];
    let code = 0;
    for (const answer of answers) {
      const range = due.find((each) => each.partition === answer.partition && each.topic === answer.topic);
      if (range === undefined) continue;
      if (answer.errorCode === 0) this.accept(range, answer);
      else {
        code = answer.errorCode;
        this.refuse(range, answer);
        failed.push(range);
      }
    }
    if (failed.length > 0) {
      const what = `${failed[0]!.topic} partition ${failed[0]!.partition}`;
      await this.retry(
        failed,
        new ConnectionError(
          `the cluster (kafka.brokers) gives no records of ${what}: error ${code}`,
          'kafka.brokers',
        ),
      );
    }
  }

  private accept(range: Range, { records, highWatermark, logStart }: FetchAnswer): void {
    if (this.isClosed) return;
    const behind = behindBatches(records);
    if (behind === null) {
      const { topic, partition, fetchOffset, end } = range;
      // The end of what there is.
      if (!Number.isFinite(end) || fetchOffset < highWatermark) range.failingSince = null;
      // A range that has an end ends before it. A new leader may not know yet how much all replicas have (KIP-207).
      else if (lastsLongerThan(range, NEW_LEADER_MS)) {
        throw new OffsetOutOfRangeError(topic, partition, fetchOffset, logStart, highWatermark);
      }
      return;
    }
    range.failingSince = null;
    range.fetchOffset = Math.max(range.fetchOffset, behind);
    const set = { index: range.index, bytes: records };
    range.ready.push(set);
    range.readyBytes += records.length;
    this.readyBytes += records.length;
    this.bytes += records.length;
    this.order.push(range);
    this.waiting?.();
  }

  /** Throws what does not pass. */
  private refuse(range: Range, { errorCode, logStart, highWatermark }: FetchAnswer): void {
    const { topic, partition, fetchOffset } = range;
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      throw new OffsetOutOfRangeError(topic, partition, fetchOffset, logStart, highWatermark);
    }
    if (errorCode === TOPIC_AUTHORIZATION_FAILED) {
      throw new ConnectionError(`our user (kafka.sasl) may not read ${topic}`, 'kafka.sasl');
    }
    if (!PASSING.has(errorCode)) {
      throw new ConnectionError(
        `the broker (kafka.brokers) refuses to read ${topic} partition ${partition} at offset ${fetchOffset}: error ${errorCode}`,
        'kafka.brokers',
      );
    }
  }

  /** Waits a little and asks who leads now; throws `error` when it has lasted too long. */
  private async retry(ranges: readonly Range[], error: ConnectionError): Promise<void> {
    for (const range of ranges) if (lastsLongerThan(range, PATIENCE_MS)) throw error;
    await delay(RETRY_MS);
    if (this.isClosed || this.failure !== null) return;
    try {
      await this.findLeaders(new Set(ranges.map(({ topic }) => topic)), true);
    } catch (again) {
      if (!(again instanceof ConnectionError) || again.setting !== 'kafka.brokers') throw again;
    }
  }

  private async findLeaders(topics: ReadonlySet<string>, refresh: boolean): Promise<void> {
    for (const topic of topics) {
      const leaders = await this.cluster.leaders(topic, refresh);
      for (const range of this.ranges) {
        if (range.topic !== topic) continue;
        // Without a leader the one before is asked, which says so.
        range.leader = leaders.get(range.partition) ?? Math.max(range.leader, firstOf(leaders));
      }
    }
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    this.waiting?.();
  }
}

/** Notes a failure; true when the range has not been answered well for so long. */
function lastsLongerThan(range: Range, ms: number): boolean {
  const now = performance.now();
  range.failingSince ??= now;
  return now - range.failingSince > ms;
}

function isDone(range: Range): boolean {
  return range.fetchOffset >= range.end && range.ready.length === 0;
}

function firstOf(leaders: ReadonlyMap<number, number>): number {
  return leaders.values().next().value ?? -1;
}

/** Runs rounds one after the other while there is something to do. */
class Lane {
  private readonly round: () => Promise<boolean>;
  private isRunning = false;
  /** Woken while the last round was ending. */
  private isWoken = false;

  constructor(round: () => Promise<boolean>) {
    this.round = round;
  }

  wake(): void {
    this.isWoken = true;
    if (this.isRunning) return;
    this.isRunning = true;
    void this.run();
  }

  /** `round` never rejects. */
  private async run(): Promise<void> {
    while (this.isWoken) {
      this.isWoken = false;
      while (await this.round());
    }
    this.isRunning = false;
  }
}
