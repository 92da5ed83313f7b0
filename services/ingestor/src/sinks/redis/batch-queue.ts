import type { QueueMemory } from './queue-memory.ts';
import { ENTRY_OVERHEAD, MAX_NAMES, type TickBatch } from './tick-batch.ts';

/** Batches in the order in which they were filled: the oldest, perhaps on its way; full ones; the open one. */
export class BatchQueue {
  /** The oldest, once it was taken to be sent. */
  head: TickBatch | null = null;
  open: TickBatch | null = null;
  private readonly memory: QueueMemory;
  private full: TickBatch[] = [];
  private fullFrom = 0;
  private fullCount = 0;
  /** The size that the last batch came to: the next one begins with it. */
  private firstBytes = 0;

  constructor(memory: QueueMemory) {
    this.memory = memory;
  }

  get isEmpty(): boolean {
    return this.head === null && !this.hasFull && (this.open === null || this.open.count === 0);
  }

  /** Whether a batch is complete and need not wait for more ticks. */
  get hasFull(): boolean {
    return this.fullFrom < this.full.length;
  }

  get ticks(): number {
    return (this.head?.count ?? 0) + this.fullCount + (this.open?.count ?? 0);
  }

  /** The open batch with room for an entry whose symbol and value have so many bytes; null: the memory admits none. */
  roomFor(bytes: number, useReserve: boolean): TickBatch | null {
    const { memory, open } = this;
    if (open?.hasRoom(bytes)) return open;
    const needed = bytes + ENTRY_OVERHEAD;
    if (open !== null && open.end + needed <= memory.batchBytes && open.names.length < MAX_NAMES) {
      const slab = memory.slabBytes(open.end + needed);
      if (memory.admits(slab - open.heldBytes, useReserve)) {
        memory.grow(open, slab);
        return open;
      }
    }
    const slab = memory.slabBytes(Math.max(needed, Math.min(this.firstBytes, memory.batchBytes)));
    if (!memory.admits(slab, useReserve)) return null;
    if (open !== null) this.closeOpen(open);
    this.open = memory.take(slab);
    return this.open;
  }

  /** The batch to send next, which stays `head` until it is settled; null when there is none. */
  takeHead(): TickBatch | null {
    if (this.head !== null) return this.head;
    if (!this.hasFull) {
      if (this.open === null || this.open.count === 0) return null;
      this.closeOpen(this.open);
    }
    this.head = this.full[this.fullFrom++]!;
    this.fullCount -= this.head.count;
    if (this.fullFrom === this.full.length) {
      this.full = [];
      this.fullFrom = 0;
    } else if (this.fullFrom > 1024) {
      this.full = this.full.slice(this.fullFrom);
      this.fullFrom = 0;
    }
    return this.head;
  }

  /** The head is done with, one way or another. */
  releaseHead(): void {
    this.memory.release(this.head!);
    this.head = null;
  }

  private closeOpen(open: TickBatch): void {
    this.open = null;
    this.full.push(open);
    this.fullCount += open.count;
    this.firstBytes = Math.min(64 * 1024, Math.max(open.end, this.firstBytes / 2));
  }
}
