import type { EncodedTick, SinkStream, StreamDescriptor } from '../sink.ts';
import { CONFLATED_GROWTH, copyWithCount } from './conflated-count.ts';
import type { RedisCounters } from './counters.ts';
import type { LossRange } from './loss-ranges.ts';
import type { RedisFormat } from './options.ts';
import type { QueueMemory } from './queue-memory.ts';
import type { StreamLane } from './stream-lane.ts';
import type { BatchName } from './tick-batch.ts';

/** What all streams of the sink share. */
export interface StreamSurroundings {
  readonly memory: QueueMemory;
  readonly counters: RedisCounters;
  readonly format: RedisFormat;
  /** The stream has begun to shed. */
  shedding(stream: RedisStream): void;
}

/** The ticks of one (topic, exchange, symbol) on their way into their lane's queue. */
export class RedisStream implements SinkStream {
  readonly descriptor: StreamDescriptor;
  /** Its number in the sink: what the batches say. */
  readonly number: number;
  readonly lane: StreamLane;
  private readonly name: BatchName;
  private readonly symbol: Uint8Array;
  private readonly conflates: boolean;
  /** Records that tell of losses may use the reserve. */
  private readonly useReserve: boolean;
  private readonly around: StreamSurroundings;
  private isClosed = false;

  /** True while the latest tick waits in `slot`. */
  isHolding = false;
  private slot: Uint8Array = new Uint8Array(0);
  private heldLength = 0;
  private heldConflatedAt = 0;
  private heldSequence = 0;
  /** How many earlier ticks the held one stands for. */
  private heldConflated = 0;

  /** What was not taken since the queue was full; null: nothing. */
  private shed: LossRange | null = null;

  constructor(
    descriptor: StreamDescriptor,
    number: number,
    lane: StreamLane,
    name: BatchName,
    useReserve: boolean,
    around: StreamSurroundings,
  ) {
    this.descriptor = descriptor;
    this.number = number;
    this.lane = lane;
    this.name = name;
    this.symbol = Buffer.from(descriptor.symbol);
    this.conflates = descriptor.overflow === 'conflate';
    this.useReserve = useReserve;
    this.around = around;
  }

  /** Always true: what Redis can't take is this sink's own loss, told by `lost`, and nobody else's. */
  append(tick: EncodedTick): boolean {
    if (this.conflates && (this.isHolding || this.around.memory.pressure)) {
      if (this.around.memory.pressure || !this.lane.releaseHeld(this)) {
        this.hold(tick);
        return true;
      }
    }
    const { bytes, start, end, sequence } = tick;
    const length = end - start;
    const batch = this.isClosed ? null : this.lane.roomFor(this.symbol.length + length, this.useReserve);
    if (batch === null) {
      if (this.conflates && !this.isClosed) this.hold(tick);
      else this.refuse(sequence);
      return true;
    }
    const at = batch.begin(this.name, this.number, this.symbol, sequence, 0);
    batch.bytes.set(bytes.subarray(start, end), at);
    batch.finish(at, at + length);
    return true;
  }

  /** Appends the held tick; false when there is no room yet. */
  release(): boolean {
    const bytes = this.symbol.length + this.heldLength + CONFLATED_GROWTH;
    const batch = this.lane.roomFor(bytes, true);
    if (batch === null) return false;
    const at = batch.begin(this.name, this.number, this.symbol, this.heldSequence, this.heldConflated);
    const end = copyWithCount(
      batch.bytes,
      at,
      this.slot,
      this.heldLength,
      this.heldConflatedAt,
      this.heldConflated,
      this.around.format,
    );
    batch.finish(at, end);
    this.isHolding = false;
    return true;
  }

  /** What was shed since the last time it was asked for. */
  takeShed(): LossRange | null {
    const { shed } = this;
    this.shed = null;
    return shed;
  }

  /** Nothing is taken any more; returns what was held. */
  close(): LossRange | null {
    this.isClosed = true;
    if (!this.isHolding) return null;
    this.isHolding = false;
    const first = this.heldSequence - this.heldConflated;
    return { first, last: this.heldSequence, count: this.heldConflated + 1 };
  }

  private refuse(sequence: number): void {
    this.around.counters.shed++;
    if (this.shed === null) {
      this.shed = { first: sequence, last: sequence, count: 1 };
      this.around.shedding(this);
    } else {
      this.shed.last = sequence;
      this.shed.count++;
    }
  }

  private hold(tick: EncodedTick): void {
    const length = tick.end - tick.start;
    if (this.slot.length < length) {
      const slot = new Uint8Array((length + 63) & ~63);
      this.around.memory.add(slot.length - this.slot.length);
      this.slot = slot;
    }
    this.slot.set(tick.bytes.subarray(tick.start, tick.end));
    this.heldLength = length;
    this.heldConflatedAt = tick.conflatedAt - tick.start;
    this.heldSequence = tick.sequence;
    if (this.isHolding) {
      this.heldConflated++;
      this.around.counters.conflated++;
    } else {
      this.isHolding = true;
      this.heldConflated = 0;
      this.lane.hold(this);
    }
  }
}
