import { BATCH_HEADER_BYTES } from '@tickline/schemas';
import { type BatchMemory, SMALLEST_SLAB } from './batch-memory.ts';
import { NO_LEADER } from './bridge.ts';
import { type ProducerIdentity, RECORD_OVERHEAD, type RecordBatch } from './record-batch.ts';

/** Sequence numbers are int32 and go on with 0 after the highest. */
const SEQUENCE_NUMBERS = 0x80000000;
/** A fresh batch starts no larger, whatever the last one grew to: many partitions may have one each. */
const LARGEST_FIRST_SLAB = 64 * 1024;
/** What a partition that is set aside may hold of the queue, so that the others keep their part. */
const SET_ASIDE_SHARE = 1 / 16;
/** What all of them may hold together, about: a whole topic may be refused, and another one beside it. */
const ALL_SET_ASIDE_SHARE = 1 / 4;

/** A stream whose latest tick waits outside of the batches while the queue is under pressure. */
export interface HeldTick {
  /** Appends it to its partition's batch; false when there is no room yet. */
  release(): boolean;
}

/** Told by a partition that it has something to send. */
export interface PartitionOwner {
  waiting(partition: PartitionQueue): void;
}

/**
 * What waits for one partition, in the order in which it was appended: `head` (sealed, perhaps sent before),
 * then full batches, then the open one, then latest copies. At most one batch is on its way, so its sequence
 * number is given when it is first sent, and order needs nothing more.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Node id of the broker to send to, or NO_LEADER. */
  leader: number = NO_LEADER;
  open: RecordBatch | null = null;
  /** On its way while `busy`, else the next to go. */
  head: RecordBatch | null = null;
  busy = false;
  /** Streams whose latest tick is held outside of the batches, oldest first. */
  readonly heldTicks: HeldTick[] = [];

  /** Null while a new producer id is asked for: nothing is sent then. */
  identity: ProducerIdentity | null = null;
  /** Failures in a row. */
  failures = 0;
  /** When it may be sent to again. */
  notBefore = 0;
  /** When the first of these failures was; 0 while there is none. */
  failingSince = 0;
  /** The error of the last failure; 0 while there is none. */
  failure = 0;
  /** True when the log has been told that it keeps failing. */
  isFailureTold = false;
  /** When the oldest record in `open` was appended. */
  waitingSince = 0;

  /** Records appended, and of these those that are done with, one way or another. */
  appended = 0;
  settled = 0;

  private readonly full: RecordBatch[] = [];
  private readonly memory: BatchMemory;
  private readonly owner: PartitionOwner;
  private nextSequence = 0;
  private closed = false;
  private firstSlab = 0;
  private setAsideFor = 0;
  /** Memory that its batches hold. */
  private heldBytes = 0;
  /** Largest batch in bytes; less than the setting when the broker refused such a one. */
  private batchBytes: number;

  constructor(topic: string, partition: number, memory: BatchMemory, owner: PartitionOwner) {
    this.topic = topic;
    this.partition = partition;
    this.memory = memory;
    this.owner = owner;
    this.batchBytes = memory.batchBytes;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** The error for which it is set aside; 0 when it is not. */
  get setAside(): number {
    return this.setAsideFor;
  }

  set setAside(code: number) {
    this.memory.partitionsSetAside += Number(code !== 0) - Number(this.setAsideFor !== 0);
    this.setAsideFor = code;
  }

  get name(): string {
    return `${this.topic}-${this.partition}`;
  }

  /** Records that wait or are on their way, without held ticks. */
  get queuedRecords(): number {
    // Records of the open batch are counted when it closes: the hot path counts nothing.
    return this.appended - this.settled + (this.open?.count ?? 0);
  }

  /** Records appended so far, those in the open batch included. */
  get appendedRecords(): number {
    return this.appended + (this.open?.count ?? 0);
  }

  /** Memory that its batches hold. */
  get bytesHeld(): number {
    return this.heldBytes;
  }

  get hasWaiting(): boolean {
    return this.head !== null || this.full.length > 0 || this.open !== null || this.heldTicks.length > 0;
  }

  /** Bytes that the next batch will have, about. */
  get nextBytes(): number {
    return (this.head ?? this.full[0] ?? this.open)?.end ?? 0;
  }

  /** Whether a batch is complete and need not wait for more records. */
  get hasComplete(): boolean {
    return this.head !== null || this.full.length > 0;
  }

  /**
   * The open batch with room for a record of so many bytes (key field, value, headers), growing or opening one
   * if need be; null when the queue has no room.
   */
  roomFor(recordBytes: number, useReserve: boolean): RecordBatch | null {
    if (this.closed) return null;
    const needed = recordBytes + RECORD_OVERHEAD;
    const open = this.open;
    if (open !== null) {
      const used = open.usedBytes + needed;
      if (used <= open.slab.bytes.length && used <= this.batchBytes) return open;
      if (used <= this.batchBytes) {
        const slab = this.memory.slabBytes(used);
        const more = slab - open.slab.bytes.length;
        if (this.mayHold(more, useReserve)) {
          this.memory.grow(open, slab);
          this.heldBytes += more;
          return open;
        }
      }
    }
    const least = this.memory.slabBytes(BATCH_HEADER_BYTES + needed);
    let slab = Math.max(Math.min(this.firstSlab, this.batchBytes), least);
    if (!this.mayHold(slab, useReserve)) slab = least;
    if (!this.mayHold(slab, useReserve)) {
      this.memory.refused();
      return null;
    }
    if (open !== null) this.full.push(this.closeOpen(open));
    const batch = this.memory.take(slab);
    this.heldBytes += slab;
    this.open = batch;
    this.owner.waiting(this);
    return batch;
  }

  /** A stream holds its latest tick outside of the batches. */
  hold(tick: HeldTick): void {
    this.heldTicks.push(tick);
    this.owner.waiting(this);
  }

  /** Appends held ticks, oldest first, as far as there is room. */
  releaseHeld(): void {
    let released = 0;
    while (released < this.heldTicks.length && this.heldTicks[released]!.release()) released++;
    this.heldTicks.splice(0, released);
  }

  /** The batch to send next, which stays `head` until it is settled; null when there is none. */
  takeHead(): RecordBatch | null {
    if (this.head !== null) return this.head;
    if (this.full.length === 0) {
      if (this.heldTicks.length > 0) this.releaseHeld();
      if (this.full.length === 0) {
        if (this.open === null || this.open.count === 0) return null;
        this.head = this.closeOpen(this.open);
        return this.head;
      }
    }
    this.head = this.full.shift()!;
    return this.head;
  }

  /** Seals the head for this partition's identity, unless it was already. */
  sealHead(identity: ProducerIdentity): void {
    if (this.head!.identity === null) this.head!.seal(identity, this.nextSequence);
  }

  /** The head is in the log. */
  headWritten(): void {
    this.nextSequence = (this.nextSequence + this.head!.count) % SEQUENCE_NUMBERS;
    this.dropHead();
  }

  /** The head is given up without having used its sequence numbers. */
  dropHead(): void {
    const head = this.head!;
    this.settled += head.count;
    this.heldBytes -= head.heldBytes;
    this.memory.release(head);
    this.head = null;
  }

  /** The broker does not know our sequence numbers: they start again from 0 under another producer id. */
  loseIdentity(): void {
    this.identity = null;
    this.nextSequence = 0;
    if (this.head !== null) this.head.identity = null;
  }

  /** Puts the two halves of the head in its place. */
  splitHead(): void {
    const head = this.head!;
    const middle = head.count >> 1;
    const halves = [this.copyOf(head, 0, middle - 1), this.copyOf(head, middle, head.count - 1)] as const;
    this.heldBytes -= head.heldBytes;
    this.memory.release(head);
    this.head = halves[0];
    this.full.unshift(halves[1]);
  }

  /** The broker takes no batch as large as the head: make no such any more. */
  learnLimit(): void {
    const half = Math.max(1, this.head!.end >> 1);
    this.batchBytes = Math.min(this.batchBytes, Math.max(SMALLEST_SLAB, 2 ** Math.floor(Math.log2(half))));
  }

  /** Nothing is taken any more. */
  close(): void {
    if (this.open !== null) this.full.push(this.closeOpen(this.open));
    this.closed = true;
  }

  /** Everything that waits, oldest first. For the end. */
  *batches(): Generator<RecordBatch> {
    if (this.head !== null) yield this.head;
    yield* this.full;
  }

  /** The head was compressed: it holds that copy too. */
  addHeld(bytes: number): void {
    this.heldBytes += bytes;
    this.memory.add(bytes);
  }

  private copyOf(batch: RecordBatch, first: number, last: number): RecordBatch {
    // Deltas may take more bytes than before, by a few for each record.
    const part = this.memory.take(this.memory.slabBytes(batch.usedBytes + RECORD_OVERHEAD * 2));
    part.appendFrom(batch, first, last);
    this.heldBytes += part.heldBytes;
    return part;
  }

  private closeOpen(open: RecordBatch): RecordBatch {
    const slab = this.memory.slabBytes(open.usedBytes);
    this.firstSlab = Math.min(LARGEST_FIRST_SLAB, Math.max(slab, this.firstSlab / 2));
    this.open = null;
    this.appended += open.count;
    return open;
  }

  private mayHold(bytes: number, useReserve: boolean): boolean {
    const { memory } = this;
    if (this.setAside !== 0) {
      const share = Math.min(SET_ASIDE_SHARE, ALL_SET_ASIDE_SHARE / memory.partitionsSetAside);
      if (this.heldBytes + bytes > memory.limit * share) return false;
    }
    return memory.hasRoom(bytes, useReserve);
  }
}
