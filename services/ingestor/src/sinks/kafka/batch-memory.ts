import { RecordBatch, Slab } from './record-batch.ts';

/** The smallest slab: what a quiet partition's open batch holds. */
export const SMALLEST_SLAB = 4096;
/** Slabs kept for later use, in bytes; what is above goes back to the system. */
const MAX_POOLED_BYTES = 16 * 1024 * 1024;

/** Shares of the limit (without the reserve). */
const PRESSURE = 0.5;
const FULL = 0.9;
const DRAINED = 0.75;

export interface MemoryListener {
  /** Above nine tenths, or somebody was refused. Called once, until `drained`. */
  full(): void;
  /** Below three quarters again. */
  drained(): void;
  /** Below one half again: streams that conflate need not any more. */
  relieved(): void;
}

/**
 * All memory that waits for the brokers, counted as it is held: whole slabs of open and sealed batches,
 * compressed copies, latest copies of streams that conflate. A part of the limit is reserved for records
 * that tell of losses.
 */
export class BatchMemory {
  readonly limit: number;
  readonly reserve: number;
  readonly batchBytes: number;
  held = 0;
  /** How many partitions are set aside: they share a part of the limit. */
  partitionsSetAside = 0;
  /** True above one half: streams that may conflate do. */
  pressure = false;
  private isFull = false;
  private readonly listener: MemoryListener;
  private readonly pool = new Map<number, Slab[]>();
  private pooledBytes = 0;

  constructor(queueBytes: number, batchBytes: number, listener: MemoryListener) {
    this.limit = queueBytes;
    this.reserve = Math.min(1024 * 1024, Math.floor(queueBytes / 16));
    // A queue of few, large pieces could not be filled evenly.
    this.batchBytes = Math.max(SMALLEST_SLAB, Math.min(batchBytes, Math.floor(queueBytes / 16)) & ~15);
    this.listener = listener;
  }

  /** The size of slab that has room for a batch of so many bytes, notes included. */
  slabBytes(usedBytes: number): number {
    let size = SMALLEST_SLAB;
    while (size < usedBytes && size < this.batchBytes) size *= 2;
    if (size > this.batchBytes) size = this.batchBytes;
    // A single record larger than a batch gets a slab of its own; the broker may take it or refuse it.
    return usedBytes <= size ? size : (usedBytes + 3) & ~3;
  }

  /** Whether so many bytes more may be held. */
  hasRoom(bytes: number, useReserve: boolean): boolean {
    return this.held + bytes <= this.limit - (useReserve ? 0 : this.reserve);
  }

  /** An empty batch in a slab of that size. */
  take(slabBytes: number): RecordBatch {
    this.add(slabBytes);
    return new RecordBatch(this.slabOf(slabBytes));
  }

  /** Moves a batch to a larger slab. */
  grow(batch: RecordBatch, slabBytes: number): void {
    this.add(slabBytes - batch.slab.bytes.length);
    this.recycle(batch.moveTo(this.slabOf(slabBytes)));
  }

  /** The batch is done with; nothing may refer to its bytes any more. */
  release(batch: RecordBatch): void {
    this.add(-batch.heldBytes);
    this.recycle(batch.slab);
  }

  /** Counts memory that is held elsewhere, or given back (negative). */
  add(bytes: number): void {
    this.held += bytes;
    const share = this.held / (this.limit - this.reserve);
    if (this.pressure !== share > PRESSURE) {
      this.pressure = share > PRESSURE;
      if (!this.pressure) this.listener.relieved();
    }
    if (!this.isFull && share > FULL) this.refused();
    else if (this.isFull && share < DRAINED) {
      this.isFull = false;
      this.listener.drained();
    }
  }

  /** Somebody found no room. */
  refused(): void {
    if (this.isFull || this.held / (this.limit - this.reserve) < DRAINED) return;
    this.isFull = true;
    this.listener.full();
  }

  private slabOf(size: number): Slab {
    const slab = this.pool.get(size)?.pop();
    if (slab === undefined) return new Slab(size);
    this.pooledBytes -= size;
    return slab;
  }

  private recycle(slab: Slab): void {
    const size = slab.bytes.length;
    if (size > this.batchBytes || this.pooledBytes + size > MAX_POOLED_BYTES) return;
    const pooled = this.pool.get(size);
    if (pooled === undefined) this.pool.set(size, [slab]);
    else pooled.push(slab);
    this.pooledBytes += size;
  }
}
