import {
  beginTick,
  copyBytes,
  DROPPED_BYTES,
  TICK_OVERHEAD,
  varintBytes,
  writeDropped,
  writeVarint,
} from './batch-format.ts';
import { CHUNK_BYTES, type Chunk, type ChunkMemory } from './chunk-memory.ts';
import type { GrpcCounters } from './counters.ts';

/**
 * A batch so long goes at once when none is on its way: the client reads it while the rest of a burst is still
 * being decoded.
 */
const EARLY_BYTES = CHUNK_BYTES / 4;

/** Where a client's batches go: one at a time. */
export interface BatchOutlet {
  /** Sends a TickBatch; `done` when the connection has taken it and the bytes may be used again. */
  write(batch: Buffer, done: () => void): void;
}

/** What the queues of all clients share. */
export interface QueueOwner {
  readonly memory: ChunkMemory;
  readonly counters: GrpcCounters;
  /** Milliseconds that never go back. */
  now(): number;
  /** A queue has something to send: it is flushed when all that is being received now is in. */
  waiting(queue: ClientQueue): void;
  /** This queue is above its own limit: end its client. */
  overflow(queue: ClientQueue): void;
  /** All queues together are above their limit: end the client with the longest. */
  exhausted(): void;
  /** A queue has sent all it had. */
  emptied(queue: ClientQueue): void;
}

/** A quote that waits in a place of its own, replaced by newer ones. */
export interface HeldQuote {
  /** Bytes that its place takes. */
  readonly placeBytes: number;
  /** Appends the quote to the queue; afterwards it holds nothing. */
  release(): void;
  discard(): void;
}

/** What waits for one client: bytes of batches, in order, bounded. */
export class ClientQueue {
  readonly limitBytes: number;
  /** True as soon as nothing is taken or sent any more. */
  isEnded = false;
  /** True while the owner has it on its list to flush. */
  isListed = false;
  /** Ticks that wait or are on their way. */
  queuedTicks = 0;
  private readonly owner: QueueOwner;
  private readonly outlet: BatchOutlet;
  private readonly sealed: Chunk[] = [];
  private open: Chunk | null = null;
  private inFlight: Chunk | null = null;
  private sentAt = 0;
  /** In the order in which their streams fell behind. */
  private readonly held = new Set<HeldQuote>();
  private heldBytes = 0;
  private sealedBytes = 0;
  private droppedUntold = 0;

  constructor(limitBytes: number, owner: QueueOwner, outlet: BatchOutlet) {
    this.limitBytes = limitBytes;
    this.owner = owner;
    this.outlet = outlet;
  }

  /** The client has not taken a batch while the next was filled: quotes may conflate. */
  get isBehind(): boolean {
    return this.inFlight !== null && this.sealed.length > 0;
  }

  /** Memory of what waits and of the batch that is on its way. */
  get queuedBytes(): number {
    return (
      this.sealedBytes +
      this.heldBytes +
      (this.open === null ? 0 : this.open.bytes.length) +
      (this.inFlight === null ? 0 : this.inFlight.bytes.length)
    );
  }

  private get isEmpty(): boolean {
    return this.queuedTicks === 0;
  }

  /** Takes a copy of a tick. `kindTag`: which field of `Tick` it is. */
  append(kindTag: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const chunk = this.roomFor(length);
    if (chunk === null) return;
    chunk.end = copyBytes(bytes, start, end, chunk.bytes, beginTick(chunk, kindTag, length));
    this.appended(chunk);
  }

  /** Takes a tick that stands for `conflated` earlier ones: the byte at `conflatedAt`, a zero, becomes that. */
  appendConflated(
    kindTag: number,
    bytes: Uint8Array,
    end: number,
    conflatedAt: number,
    conflated: number,
  ): void {
    const length = end - 1 + varintBytes(conflated);
    const chunk = this.roomFor(length);
    if (chunk === null) return;
    const target = chunk.bytes;
    let at = copyBytes(bytes, 0, conflatedAt, target, beginTick(chunk, kindTag, length));
    at = writeVarint(target, at, conflated);
    chunk.end = copyBytes(bytes, conflatedAt + 1, end, target, at);
    this.appended(chunk);
  }

  /** A stream begins to hold its latest quote, in a place of its own. */
  hold(quote: HeldQuote): void {
    this.held.add(quote);
    this.heldBytes += quote.placeBytes;
    this.owner.memory.held += quote.placeBytes;
    this.queuedTicks++;
    if (this.queuedBytes > this.limitBytes) this.owner.overflow(this);
    else if (this.owner.memory.held > this.owner.memory.limit) this.owner.exhausted();
  }

  /** A held quote was replaced; its place grew by so much. */
  replaced(growth: number): void {
    this.heldBytes += growth;
    this.owner.memory.held += growth;
    this.droppedUntold++;
    this.owner.counters.conflated++;
  }

  /** Sends the next batch, unless one is on its way. */
  flush(): void {
    if (this.inFlight !== null || this.isEnded) return;
    if (this.sealed.length === 0) this.releaseHeld();
    const chunk = this.sealed.shift() ?? this.open;
    if (chunk === null || this.isEnded) return;
    if (chunk === this.open) this.open = null;
    else this.sealedBytes -= chunk.bytes.length;
    if (this.droppedUntold > 0) {
      writeDropped(chunk, this.droppedUntold);
      this.droppedUntold = 0;
    }
    this.inFlight = chunk;
    this.sentAt = this.owner.now();
    this.outlet.write(chunk.bytes.subarray(0, chunk.end), this.onTaken);
  }

  /** Nothing more is taken or sent; returns how many ticks the client does not get. */
  end(): number {
    if (this.isEnded) return 0;
    this.isEnded = true;
    const { memory } = this.owner;
    const undelivered = this.queuedTicks - (this.inFlight?.ticks ?? 0);
    for (const quote of this.held) quote.discard();
    this.held.clear();
    memory.held -= this.heldBytes;
    this.heldBytes = 0;
    for (const chunk of this.sealed.splice(0)) memory.give(chunk);
    this.sealedBytes = 0;
    if (this.open !== null) memory.give(this.open);
    this.open = null;
    this.queuedTicks = this.inFlight?.ticks ?? 0;
    return undelivered;
  }

  /** The connection is gone: what was on its way is not coming back. To be called after `end`. */
  abandon(): void {
    const chunk = this.inFlight;
    if (chunk === null) return;
    this.inFlight = null;
    this.queuedTicks = 0;
    // Its bytes may still be read by the connection: they are not used again.
    this.owner.memory.held -= chunk.bytes.length;
  }

  private readonly onTaken = (): void => {
    const chunk = this.inFlight;
    if (chunk === null) return;
    const { counters, memory } = this.owner;
    this.inFlight = null;
    counters.delivered += chunk.ticks;
    counters.deliveryMs.observe(this.owner.now() - this.sentAt);
    this.queuedTicks -= chunk.ticks;
    memory.give(chunk);
    this.flush();
    if (this.isEmpty) this.owner.emptied(this);
  };

  private appended(chunk: Chunk): void {
    chunk.ticks++;
    this.queuedTicks++;
    if (this.inFlight !== null) return;
    if (chunk.end >= EARLY_BYTES) {
      this.flush();
      return;
    }
    if (this.isListed) return;
    this.isListed = true;
    this.owner.waiting(this);
  }

  private releaseHeld(): void {
    if (this.held.size === 0) return;
    for (const quote of this.held) {
      this.held.delete(quote);
      this.heldBytes -= quote.placeBytes;
      this.owner.memory.held -= quote.placeBytes;
      this.queuedTicks--;
      quote.release();
      // A batch is full: the others go on being replaced until this one is taken.
      if (this.sealed.length > 0 || this.isEnded) return;
    }
  }

  /** The chunk that takes a tick of so many bytes; null when the queue is ended, by this tick too. */
  private roomFor(length: number): Chunk | null {
    if (this.isEnded) return null;
    const needed = length + TICK_OVERHEAD + DROPPED_BYTES;
    const open = this.open;
    if (open !== null) {
      if (open.end + needed <= open.bytes.length) return open;
      this.sealed.push(open);
      this.sealedBytes += open.bytes.length;
      this.open = null;
    }
    if (this.queuedBytes + Math.max(needed, CHUNK_BYTES) > this.limitBytes) {
      this.owner.overflow(this);
      if (this.isEnded) return null;
    }
    const { memory } = this.owner;
    if (memory.held + Math.max(needed, CHUNK_BYTES) > memory.limit) {
      this.owner.exhausted();
      if (this.isEnded) return null;
    }
    this.open = memory.take(needed);
    return this.open;
  }
}
