import { digitsOf, writeDigits } from './conflated-count.ts';

/** Stream's number, earlier ticks it stands for (u32 each), name's number (u16), length of the symbol (u16). */
const HEAD_BYTES = 12;
/** In front of the value: its length. */
const LENGTH_BYTES = 4;
const SEQUENCE_DIGITS = 16;

/** Most names in one batch: what a script takes as keys without effort. */
export const MAX_NAMES = 4096;

/** Bytes of one tick in a batch besides its symbol and value, at most. */
export const ENTRY_OVERHEAD: number = HEAD_BYTES + 1 + SEQUENCE_DIGITS + LENGTH_BYTES;

/** How the scripts read an entry with Lua's struct library: number of the name, symbol, sequence, value. */
export const ENTRY_FORMAT = '>xxxxxxxxHHc0Bc0I4c0';

/** The key of a stream, or a channel; batches refer to it by number. */
export class BatchName {
  readonly text: string;
  /** The batch that knows it last, and its number there. */
  batch: TickBatch | null = null;
  index = 0;

  constructor(text: string) {
    this.text = text;
  }
}

/** What of an entry is needed again when a batch is given up. */
export interface BatchEntry {
  /** The sink's number of the stream. */
  readonly stream: number;
  readonly conflated: number;
  readonly sequence: number;
  /** From 1, as Lua counts. */
  readonly name: number;
}

/**
 * Ticks for one script call, as the one argument in which the script finds them: the client's cost is that of a
 * call, not of its entries.
 */
export class TickBatch {
  /** The names its entries refer to. */
  readonly names: BatchName[] = [];
  count = 0;
  end = 0;
  /** Given when it is first sent, counting by one. */
  number = 0;
  private slab: Buffer;

  constructor(slab: Buffer) {
    this.slab = slab;
  }

  get heldBytes(): number {
    return this.slab.length;
  }

  /** What the script gets. Valid until the batch is released. */
  get payload(): Buffer {
    return this.slab.subarray(0, this.end);
  }

  /** Whether an entry whose symbol and value have so many bytes fits. */
  hasRoom(bytes: number): boolean {
    return this.end + bytes + ENTRY_OVERHEAD <= this.slab.length && this.names.length < MAX_NAMES;
  }

  /** Moves to a larger slab; returns the old one. */
  moveTo(slab: Buffer): Buffer {
    const old = this.slab;
    slab.set(old.subarray(0, this.end));
    this.slab = slab;
    return old;
  }

  /** Begins an entry; there must be room. The value goes behind the returned offset, then `finish`. */
  begin(name: BatchName, stream: number, symbol: Uint8Array, sequence: number, conflated: number): number {
    const { slab } = this;
    let at = this.end;
    if (name.batch !== this) {
      name.batch = this;
      name.index = this.names.push(name);
    }
    slab[at] = stream >>> 24;
    slab[at + 1] = stream >>> 16;
    slab[at + 2] = stream >>> 8;
    slab[at + 3] = stream;
    slab[at + 4] = conflated >>> 24;
    slab[at + 5] = conflated >>> 16;
    slab[at + 6] = conflated >>> 8;
    slab[at + 7] = conflated;
    slab[at + 8] = name.index >>> 8;
    slab[at + 9] = name.index;
    slab[at + 10] = symbol.length >>> 8;
    slab[at + 11] = symbol.length;
    at += HEAD_BYTES;
    slab.set(symbol, at);
    at += symbol.length;
    slab[at] = digitsOf(sequence);
    at = writeDigits(slab, at + 1, sequence);
    return at + LENGTH_BYTES;
  }

  /** The value lies from `valueAt` to `end`. */
  finish(valueAt: number, end: number): void {
    const length = end - valueAt;
    const { slab } = this;
    slab[valueAt - 4] = length >>> 24;
    slab[valueAt - 3] = length >>> 16;
    slab[valueAt - 2] = length >>> 8;
    slab[valueAt - 1] = length;
    this.end = end;
    this.count++;
  }

  /** Where values are written. */
  get bytes(): Uint8Array {
    return this.slab;
  }

  *entries(): Generator<BatchEntry> {
    const { slab } = this;
    for (let at = 0; at < this.end; ) {
      const stream = slab.readUInt32BE(at);
      const conflated = slab.readUInt32BE(at + 4);
      const name = slab.readUInt16BE(at + 8);
      at += HEAD_BYTES + slab.readUInt16BE(at + 10);
      const digits = slab[at]!;
      const sequence = Number(slab.toString('latin1', at + 1, at + 1 + digits));
      at += 1 + digits;
      yield { stream, conflated, sequence, name };
      at += LENGTH_BYTES + slab.readUInt32BE(at);
    }
  }

  /** Forgets everything; returns the slab. */
  release(): Buffer {
    for (const name of this.names) if (name.batch === this) name.batch = null;
    this.names.length = 0;
    return this.slab;
  }
}
