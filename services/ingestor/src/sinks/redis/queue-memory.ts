import { TickBatch } from './tick-batch.ts';

/** What a quiet queue's open batch holds. */
const SMALLEST_SLAB = 4096;
/** Slabs kept for later use, in bytes. */
const MAX_POOLED_BYTES = 8 * 1024 * 1024;

/** Shares of the limit. */
const PRESSURE = 0.5;
const RELIEVED = 0.75;

/**
 * All memory that waits for Redis, counted as it is held: slabs of batches, the client's copy of those on their way,
 * latest copies of streams that conflate. A part of the limit is reserved for records that tell of losses.
 */
export class QueueMemory {
  readonly limit: number;
  readonly batchBytes: number;
  held = 0;
  /** True above one half: streams that may conflate do. */
  pressure = false;
  /** True from the first refusal until a quarter is free again, so that losses are few and long, not many and short. */
  isShedding = false;
  private readonly reserve: number;
  private readonly onRelieved: () => void;
  private readonly pool = new Map<number, Buffer[]>();
  private pooledBytes = 0;

  constructor(queueBytes: number, batchBytes: number, onRelieved: () => void) {
    this.limit = queueBytes;
    this.reserve = Math.min(1024 * 1024, Math.floor(queueBytes / 16));
    // A queue of few, large pieces could not be filled evenly.
    this.batchBytes = Math.max(SMALLEST_SLAB, Math.min(batchBytes, Math.floor(queueBytes / 16)));
    this.onRelieved = onRelieved;
  }

  /** Whether so many bytes more may be held; a refusal begins the shedding. */
  admits(bytes: number, useReserve: boolean): boolean {
    if (useReserve) return this.held + bytes <= this.limit;
    if (this.isShedding) return false;
    if (this.held + bytes <= this.limit - this.reserve) return true;
    this.isShedding = true;
    return false;
  }

  /** An empty batch with room for so many bytes at least. */
  take(bytes: number): TickBatch {
    const slab = this.slabOf(this.slabBytes(bytes));
    this.add(slab.length);
    return new TickBatch(slab);
  }

  /** Moves a batch to a slab that has room for so many bytes. */
  grow(batch: TickBatch, bytes: number): void {
    const slab = this.slabOf(this.slabBytes(bytes));
    this.add(slab.length - batch.heldBytes);
    this.recycle(batch.moveTo(slab));
  }

  /** The batch is done with. */
  release(batch: TickBatch): void {
    this.add(-batch.heldBytes);
    this.recycle(batch.release());
  }

  /** The slab for so many bytes: a power of two up to a batch; larger only for a single tick that needs it. */
  slabBytes(bytes: number): number {
    let size = SMALLEST_SLAB;
    while (size < bytes && size < this.batchBytes) size *= 2;
    return Math.max(bytes, Math.min(size, this.batchBytes));
  }

  /** Counts memory that is held elsewhere, or given back (negative). */
  add(bytes: number): void {
    this.held += bytes;
    this.pressure = this.held > (this.limit - this.reserve) * PRESSURE;
    if (this.isShedding && this.held < (this.limit - this.reserve) * RELIEVED) {
      this.isShedding = false;
      this.onRelieved();
    }
  }

  private slabOf(size: number): Buffer {
    const slab = this.pool.get(size)?.pop();
    if (slab === undefined) return Buffer.allocUnsafeSlow(size);
    this.pooledBytes -= size;
    return slab;
  }

  private recycle(slab: Buffer): void {
    const size = slab.length;
    if (size > this.batchBytes || this.pooledBytes + size > MAX_POOLED_BYTES) return;
    const pooled = this.pool.get(size);
    if (pooled === undefined) this.pool.set(size, [slab]);
    else pooled.push(slab);
    this.pooledBytes += size;
  }
}
