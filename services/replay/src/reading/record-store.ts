import type { RecordView } from './records.ts';
import type { WriterSchema } from './writer-schema.ts';

const SLAB_BYTES = 1024 * 1024;
const FIRST_ENTRIES = 1024;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Records that are still held in it. */
  held: number;
}

/**
 * Copies of records that wait for their turn, without an object for each: values in slabs that are used again,
 * the rest in typed arrays, all by the number that `add` gives.
 */
export class RecordStore {
  /** Bytes of the slabs that hold records. */
  heldBytes = 0;
  private slabs: (Slab | null)[] = [];
  private current = -1;
  private spare: Buffer | null = null;

  private times = new Float64Array(FIRST_ENTRIES);
  private offsets = new Float64Array(FIRST_ENTRIES);
  private timestamps = new Float64Array(FIRST_ENTRIES);
  private starts = new Int32Array(FIRST_ENTRIES);
  private lengths = new Int32Array(FIRST_ENTRIES);
  private slabOf = new Int32Array(FIRST_ENTRIES);
  private schemaOf = new Int32Array(FIRST_ENTRIES);
  /** Numbers that are free, the last one first. */
  private free = new Int32Array(FIRST_ENTRIES);
  private freeCount = 0;
  private next = 0;
  private readonly schemas: { readonly schema: WriterSchema; readonly at: Int32Array }[] = [];
  private readonly schemaNumbers = new Map<WriterSchema, number>();

  /** Copies a record; returns its number. */
  add(view: RecordView): number {
    const entry = this.freeCount > 0 ? this.free[--this.freeCount]! : this.grown();
    const length = view.valueEnd - view.valueStart;
    const slab = this.slabFor(length);
    const { bytes, used } = this.slabs[slab]!;
    view.bytes.copy(bytes, used, view.valueStart, view.valueEnd);
    this.slabs[slab]!.used += length;
    this.slabs[slab]!.held++;
    this.times[entry] = view.receiveTime;
    this.offsets[entry] = view.offset;
    this.timestamps[entry] = view.timestampMs;
    this.starts[entry] = used;
    this.lengths[entry] = length;
    this.slabOf[entry] = slab;
    this.schemaOf[entry] = this.numberOf(view);
    return entry;
  }

  /** Microseconds. */
  timeOf(entry: number): number {
    return this.times[entry]!;
  }

  offsetOf(entry: number): number {
    return this.offsets[entry]!;
  }

  /** Makes the view show a record, all but its topic and partition; the key is left out (null). */
  show(entry: number, view: RecordView): void {
    const { schema, at } = this.schemas[this.schemaOf[entry]!]!;
    const start = this.starts[entry]!;
    const end = start + this.lengths[entry]!;
    view.bytes = this.slabs[this.slabOf[entry]!]!.bytes;
    view.valueStart = start;
    view.valueEnd = end;
    view.keyStart = start;
    view.keyEnd = -1;
    view.offset = this.offsets[entry]!;
    view.timestampMs = this.timestamps[entry]!;
    view.receiveTime = this.times[entry]!;
    view.schema = schema;
    view.at = at;
    // It was walked when it came: it fits.
    schema.walk.walk(view.bytes, start + FRAME_BYTES, end, at);
  }

  /** Lets go of a record; its number is given again. */
  remove(entry: number): void {
    const number = this.slabOf[entry]!;
    const slab = this.slabs[number]!;
    if (--slab.held === 0 && number !== this.current) this.drop(number, slab);
    if (this.freeCount === this.free.length) this.free = wider(this.free);
    this.free[this.freeCount++] = entry;
  }

  private drop(number: number, slab: Slab): void {
    this.heldBytes -= slab.bytes.length;
    this.slabs[number] = null;
    if (slab.bytes.length === SLAB_BYTES) this.spare = slab.bytes;
  }

  private slabFor(length: number): number {
    const current = this.slabs[this.current];
    if (current && current.used + length <= current.bytes.length) return this.current;
    if (current && current.held === 0) this.drop(this.current, current);
    const size = Math.max(SLAB_BYTES, length);
    const bytes = size === SLAB_BYTES && this.spare !== null ? this.spare : Buffer.allocUnsafeSlow(size);
    if (bytes === this.spare) this.spare = null;
    const place = this.slabs.indexOf(null);
    this.current = place < 0 ? this.slabs.length : place;
    this.slabs[this.current] = { bytes, used: 0, held: 0 };
    this.heldBytes += bytes.length;
    return this.current;
  }

  private grown(): number {
    if (this.next === this.times.length) {
      this.times = wider(this.times);
      this.offsets = wider(this.offsets);
      this.timestamps = wider(this.timestamps);
      this.starts = wider(this.starts);
      this.lengths = wider(this.lengths);
      this.slabOf = wider(this.slabOf);
      this.schemaOf = wider(this.schemaOf);
    }
    return this.next++;
  }

  private numberOf({ schema }: RecordView): number {
    let number = this.schemaNumbers.get(schema);
    if (number === undefined) {
      number = this.schemas.length;
      this.schemas.push({ schema, at: new Int32Array(schema.fields.length + 1) });
      this.schemaNumbers.set(schema, number);
    }
    return number;
  }
}

/** The zero byte and the schema's id. */
const FRAME_BYTES = 5;

function wider<T extends Float64Array | Int32Array>(array: T): T {
  const larger =
    array instanceof Float64Array ? new Float64Array(array.length * 2) : new Int32Array(array.length * 2);
  larger.set(array);
  return larger as T;
}
