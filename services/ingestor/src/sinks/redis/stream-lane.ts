import { BatchQueue } from './batch-queue.ts';
import { ConfirmedHistory } from './confirmed-history.ts';
import type { QueueMemory } from './queue-memory.ts';
import type { RedisStream } from './redis-stream.ts';
import type { TickBatch } from './tick-batch.ts';

/** Told by a lane that its first tick waits. */
export interface LaneOwner {
  waiting(lane: StreamLane): void;
}

/**
 * What waits for one place that takes script calls: the whole of Redis, or one slot of a Cluster. One call is on its
 * way at a time, so that order needs nothing more.
 */
export class StreamLane {
  /** Key of this writer's mark. */
  readonly markKey: string;
  readonly history: ConfirmedHistory = new ConfirmedHistory();
  isBusy = false;
  /** A call will be made, after the linger or a pause. */
  isScheduled = false;
  cancelSchedule: () => void = () => {};
  /** Failures in a row. */
  failures = 0;
  /** Redis' last answer to a call that it did not carry out; null while all is well. */
  trouble: { readonly since: number; readonly message: string } | null = null;
  /** The number of the last batch that Redis confirmed, and when, by the clock. */
  confirmed = 0;
  confirmedAt = 0;
  /** Ticks that are done with, one way or another. */
  settled = 0;
  private readonly queue: BatchQueue;
  private readonly owner: LaneOwner;
  private heldStreams: RedisStream[] = [];
  private nextNumber = 1;

  constructor(markKey: string, memory: QueueMemory, owner: LaneOwner) {
    this.markKey = markKey;
    this.queue = new BatchQueue(memory);
    this.owner = owner;
  }

  /** Ticks that wait or are on their way. */
  get ticks(): number {
    return this.queue.ticks + this.heldStreams.length;
  }

  get hasFull(): boolean {
    return this.queue.head !== null || this.queue.hasFull;
  }

  get isEmpty(): boolean {
    return this.queue.isEmpty && this.heldStreams.length === 0;
  }

  roomFor(bytes: number, useReserve: boolean): TickBatch | null {
    const batch = this.queue.roomFor(bytes, useReserve);
    if (batch !== null && !this.isBusy && (!this.isScheduled || this.queue.hasFull)) this.owner.waiting(this);
    return batch;
  }

  /** A stream holds its latest tick outside of the batches. */
  hold(stream: RedisStream): void {
    this.heldStreams.push(stream);
    if (!this.isBusy && !this.isScheduled) this.owner.waiting(this);
  }

  /** Appends held ticks, oldest first, as far as there is room; returns whether that stream's is among them. */
  releaseHeld(stream: RedisStream | null = null): boolean {
    let released = 0;
    while (released < this.heldStreams.length && this.heldStreams[released]!.release()) released++;
    if (released > 0) this.heldStreams = this.heldStreams.slice(released);
    return stream !== null && !stream.isHolding;
  }

  /** The batch to send next, which stays the head until it is settled; null when nothing waits. */
  takeHead(): TickBatch | null {
    if (this.queue.head === null && !this.queue.hasFull && this.heldStreams.length > 0) this.releaseHeld();
    const head = this.queue.takeHead();
    if (head !== null && head.number === 0) head.number = this.nextNumber++;
    return head;
  }

  /** The head is done with. */
  settleHead(): void {
    this.settled += this.queue.head!.count;
    this.queue.releaseHead();
  }

  /** Streams that hold a tick are asked for it by the sink. For the end. */
  forgetHeld(): void {
    this.heldStreams = [];
  }
}
