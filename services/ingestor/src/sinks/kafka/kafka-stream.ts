import type { EncodedTick, SinkStream, StreamDescriptor } from '../sink.ts';
import type { BatchMemory } from './batch-memory.ts';
import type { KafkaCounters } from './counters.ts';
import type { HeldTick, PartitionQueue } from './partition-queue.ts';
import { encodeKeyField } from './record-batch.ts';

/** A conflated count takes up to five bytes in place of one. */
const CONFLATED_GROWTH = 4;

/** One stream's way into its partition's queue. */
export class KafkaStream implements SinkStream, HeldTick {
  readonly descriptor: StreamDescriptor;
  /** Its number in the sink: what the notes in the batches say. */
  readonly index: number;
  readonly partition: PartitionQueue;
  private readonly keyField: Uint8Array;
  private readonly conflates: boolean;
  /** Records that tell of losses may use the reserve. */
  private readonly useReserve: boolean;
  private readonly memory: BatchMemory;
  private readonly counters: KafkaCounters;

  /** True while the latest tick waits in `slot`. */
  isHolding = false;
  private slot: Uint8Array = new Uint8Array(0);
  private heldEnd = 0;
  private heldTimestampMs = 0;
  private heldConflatedAt = 0;
  private heldSequence = 0;
  /** How many earlier ticks the held one stands for. */
  private heldConflated = 0;

  constructor(
    descriptor: StreamDescriptor,
    index: number,
    partition: PartitionQueue,
    useReserve: boolean,
    memory: BatchMemory,
    counters: KafkaCounters,
  ) {
    this.descriptor = descriptor;
    this.index = index;
    this.partition = partition;
    this.keyField = encodeKeyField(Buffer.from(descriptor.key));
    this.conflates = descriptor.overflow === 'conflate';
    this.useReserve = useReserve;
    this.memory = memory;
    this.counters = counters;
  }

  append(tick: EncodedTick): boolean {
    if (this.conflates && (this.memory.pressure || this.isHolding)) {
      if (this.memory.pressure || !this.releaseAll()) return this.hold(tick);
    }
    const open = this.partition.open;
    if (
      open?.append(
        this.keyField,
        tick.bytes,
        tick.start,
        tick.end,
        tick.timestampMs,
        this.index,
        tick.sequence,
      )
    ) {
      return true;
    }
    return this.appendToNew(tick);
  }

  release(): boolean {
    const batch = this.partition.roomFor(this.keyField.length + this.heldEnd + CONFLATED_GROWTH, true);
    if (batch === null) return false;
    batch.appendConflated(
      this.keyField,
      this.slot,
      this.heldEnd,
      this.heldTimestampMs,
      this.index,
      this.heldSequence,
      this.heldConflatedAt,
      this.heldConflated,
    );
    this.isHolding = false;
    return true;
  }

  /** What is held, for a report of what was lost: first and last sequence it stands for. */
  heldRange(): { first: number; last: number } {
    return { first: this.heldSequence - this.heldConflated, last: this.heldSequence };
  }

  private appendToNew(tick: EncodedTick): boolean {
    const { bytes, start, end, timestampMs, sequence } = tick;
    const batch = this.partition.roomFor(this.keyField.length + end - start, this.useReserve);
    if (batch === null) {
      if (this.conflates) return this.hold(tick);
      this.counters.shed++;
      return false;
    }
    return batch.append(this.keyField, bytes, start, end, timestampMs, this.index, sequence);
  }

  /** The pressure is gone: held ticks of the partition go first. */
  private releaseAll(): boolean {
    this.partition.releaseHeld();
    return !this.isHolding;
  }

  private hold(tick: EncodedTick): boolean {
    if (this.partition.isClosed) {
      this.counters.shed++;
      return false;
    }
    const length = tick.end - tick.start;
    if (this.slot.length < length) {
      const slot = new Uint8Array((length + 63) & ~63);
      this.memory.add(slot.length - this.slot.length);
      this.slot = slot;
    }
    this.slot.set(tick.bytes.subarray(tick.start, tick.end));
    this.heldEnd = length;
    this.heldTimestampMs = tick.timestampMs;
    this.heldConflatedAt = tick.conflatedAt - tick.start;
    this.heldSequence = tick.sequence;
    if (this.isHolding) {
      this.heldConflated++;
      this.counters.conflated++;
    } else {
      this.isHolding = true;
      this.heldConflated = 0;
      this.partition.hold(this);
    }
    return true;
  }
}
