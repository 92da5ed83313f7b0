import { BatchDecoder } from './batch-decoder.ts';
import { FetchPool } from './fetch-pool.ts';
import { emptyProgress } from './read-range.ts';
import { RecordStore } from './record-store.ts';
import {
  type PartitionRange,
  type ReadProgress,
  type RecordFilter,
  RecordView,
  type RecordVisitor,
  type SkippedRecords,
  UnreadableRecordError,
} from './records.ts';
import { TimeQueue } from './time-queue.ts';
import type { TopicSource } from './topic-source.ts';

/** What is to be read in the order of receive times, and by whom. */
export interface MergedReadOptions {
  /** Of one topic or several. Of one receive time, records of an earlier range come first. */
  readonly ranges: readonly PartitionRange[];
  /** Called in the order of receive times. A view's key is left out. */
  readonly visitor: RecordVisitor;
  readonly filter: RecordFilter | undefined;
  /** How much a record may lie behind an earlier one of its partition and still be put in its place, milliseconds. */
  readonly reorderWindowMs: number;
  /** Called before each record with its receive time in microseconds; awaited if it returns a promise. */
  before(receiveTime: number): Promise<void> | undefined;
  skipped(records: SkippedRecords): void;
  readonly signal: AbortSignal;
  /** Most that waits for its turn; default 128 MiB. */
  readonly heldBytes?: number;
}

/** What became of a merged reading. */
export interface MergedProgress extends ReadProgress {
  /** Records that came too late for their place, and were visited where they came. */
  late: number;
  /** True when the records of the window did not fit `heldBytes`: the window was shorter then. */
  narrowed: boolean;
}

const HELD_BYTES = 128 * 1024 * 1024;

/**
 * Reads ranges in the order of receive times. Each partition is nearly in order (several pods write to it), so a
 * record waits until every partition has been read to `reorderWindowMs` beyond it. Memory is bounded: when what
 * waits does not fit, the window is shortened, never the order over partitions.
 */
export async function readMerged(source: TopicSource, options: MergedReadOptions): Promise<MergedProgress> {
  const { ranges } = options;
  const progress: MergedProgress = { ...emptyProgress(ranges), late: 0, narrowed: false };
  const pool = new FetchPool(source, ranges, { order: 'each', signal: options.signal });
  const merge = new Merge(options, progress);
  // The decoder counts what is read; what is visited is counted here.
  const read: ReadProgress = emptyProgress(ranges);
  const decoder = new BatchDecoder({
    visitor: merge,
    filter: options.filter,
    progress: read,
    schemaOf: (id) => source.schemaOf(id),
    isKeyedBySymbol: (topic) => source.isKeyedBySymbol(topic),
    skipped: options.skipped,
  });
  const { signal } = options;
  try {
    await pool.open();
    for (let index = merge.next(); index >= 0; index = merge.next()) {
      const set = await pool.takeOf(index);
      if (set === null) {
        merge.finish(index);
      } else {
        merge.begin(index);
        await decoder.decode(set.bytes, pool.positionOf(index), (maxTimestampMs) => {
          merge.readTo(maxTimestampMs);
          signal.throwIfAborted();
          return undefined;
        });
      }
      progress.filtered = read.filtered;
      progress.skipped = read.skipped + merge.unusable;
      progress.bytes = pool.bytes;
      progress.offsetsDone = read.offsetsDone;
      await merge.emit(signal);
    }
    await merge.emit(signal);
    progress.skipped = read.skipped + merge.unusable;
    return progress;
  } finally {
    pool.close();
  }
}

/** The partitions side by side. */
class Merge implements RecordVisitor {
  private readonly options: MergedReadOptions;
  private readonly progress: MergedProgress;
  private readonly store = new RecordStore();
  private readonly queues: readonly TimeQueue[];
  private readonly windowMicros: number;
  private readonly heldBytes: number;
  /** Of each range: the latest receive time that was read, and whether it is read to its end. */
  private readonly newest: Float64Array;
  private readonly isFinished: Uint8Array;
  /** Ranges with something in their queue, a heap by the first one's time and then by place. */
  private readonly heap: Int32Array;
  private heapSize = 0;
  /** The range that is being read. */
  private reading = 0;
  /** Records that the visitor could not use. */
  unusable = 0;
  private lastTime = Number.NEGATIVE_INFINITY;
  private readonly view = new RecordView();

  constructor(options: MergedReadOptions, progress: MergedProgress) {
    const count = options.ranges.length;
    this.options = options;
    this.progress = progress;
    this.queues = options.ranges.map(() => new TimeQueue(this.store));
    this.windowMicros = options.reorderWindowMs * 1000;
    this.heldBytes = options.heldBytes ?? HELD_BYTES;
    this.newest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.isFinished = new Uint8Array(count);
    this.heap = new Int32Array(count);
  }

  /** The range that is to be read on: the one that is furthest behind; -1 when all are read. */
  next(): number {
    let furthest = -1;
    // Without room only what the order over partitions waits for is read.
    const isFull = this.store.heldBytes > this.heldBytes;
    for (let index = 0; index < this.newest.length; index++) {
      if (this.isFinished[index] === 1 || (isFull && !this.queues[index]!.isEmpty)) continue;
      if (furthest < 0 || this.newest[index]! < this.newest[furthest]!) furthest = index;
    }
    return furthest;
  }

  begin(index: number): void {
    this.reading = index;
  }

  record(view: RecordView): void {
    this.queues[this.reading]!.add(this.store.add(view));
    if (view.receiveTime > this.newest[this.reading]!) this.newest[this.reading] = view.receiveTime;
  }

  /** A batch is read, of which perhaps nothing was wanted. */
  readTo(maxTimestampMs: number): void {
    const micros = maxTimestampMs * 1000;
    if (micros > this.newest[this.reading]!) this.newest[this.reading] = micros;
  }

  finish(index: number): void {
    this.isFinished[index] = 1;
  }

  /** Visits what can't be overtaken any more. */
  async emit(signal: AbortSignal): Promise<void> {
    this.buildHeap();
    const { store, options, progress, view } = this;
    const floor = this.floor();
    while (this.heapSize > 0) {
      const index = this.heap[0]!;
      const queue = this.queues[index]!;
      const time = queue.firstTime;
      if (time > floor && !this.mustMakeRoom()) return;
      const pause = options.before(time);
      if (pause !== undefined) {
        await pause;
        signal.throwIfAborted();
      }
      const entry = queue.take();
      store.show(entry, view);
      const range = options.ranges[index]!;
      view.topic = range.topic;
      view.partition = range.partition;
      try {
        options.visitor.record(view);
        progress.records++;
        if (time < this.lastTime) progress.late++;
        else this.lastTime = time;
      } catch (error) {
        if (!(error instanceof UnreadableRecordError)) throw error;
        const { topic, partition, offset } = view;
        this.unusable++;
        options.skipped({
          reason: 'corrupted record',
          topic,
          partition,
          offset,
          count: 1,
          detail: error.message,
        });
      }
      store.remove(entry);
      if (queue.isEmpty) this.heap[0] = this.heap[--this.heapSize]!;
      this.siftDown(0);
    }
  }

  /** Up to here every partition has been read, the window included. */
  private floor(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.newest.length; index++) {
      if (this.isFinished[index] === 0) floor = Math.min(floor, this.newest[index]! - this.windowMicros);
    }
    return floor;
  }

  /** Whether the window must give way: there is no room, and no partition is waited for. */
  private mustMakeRoom(): boolean {
    if (this.store.heldBytes <= this.heldBytes) return false;
    for (let index = 0; index < this.queues.length; index++) {
      if (this.isFinished[index] === 0 && this.queues[index]!.isEmpty) return false;
    }
    this.progress.narrowed = true;
    return true;
  }

  private buildHeap(): void {
    this.heapSize = 0;
    for (let index = 0; index < this.queues.length; index++) {
      if (!this.queues[index]!.isEmpty) this.heap[this.heapSize++] = index;
    }
    for (let place = (this.heapSize >> 1) - 1; place >= 0; place--) this.siftDown(place);
  }

  private siftDown(from: number): void {
    const { heap, heapSize } = this;
    let place = from;
    const moved = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heapSize) break;
      if (child + 1 < heapSize && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, moved)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = moved;
  }

  private isBefore(left: number, right: number): boolean {
    const leftTime = this.queues[left]!.firstTime;
    const rightTime = this.queues[right]!.firstTime;
    return leftTime < rightTime || (leftTime === rightTime && left < right);
  }
}
