import { ByteWords } from './byte-words.ts';

const INITIAL_SLOTS = 64;
const INITIAL_BYTES = 256;

/**
 * Distinct byte strings, numbered in the order in which they came, kept one after the other as a dictionary page
 * holds them: values of a fixed width bare, others behind their length in four bytes, little-endian
 * (parquet-format, Encodings.md, "Plain").
 */
export class ByteDictionary {
  /** What a dictionary page holds: `page[0, pageBytes)`. */
  page = new Uint8Array(INITIAL_BYTES);
  pageBytes = 0;
  size = 0;
  /** Where the bytes of each value begin in `page`, behind their length; and behind the last. */
  starts = new Int32Array(INITIAL_SLOTS);

  private readonly prefix: number;
  private hashes = new Int32Array(INITIAL_SLOTS);
  /** Number of a value plus one, by its hash; 0 is free. At most half full. */
  private slots = new Int32Array(INITIAL_SLOTS);
  private last = -1;
  private readonly given = new ByteWords();
  private readonly kept = new ByteWords();

  /** `prefix`: 4 for values with a length, 0 for values of a fixed width. */
  constructor(prefix: 0 | 4) {
    this.prefix = prefix;
  }

  /** Bytes of memory in use. */
  get heldBytes(): number {
    return this.page.length + 4 * (this.starts.length + this.hashes.length + this.slots.length);
  }

  /** Where a value's bytes end in `page`. */
  endOf(index: number): number {
    return index + 1 < this.size ? this.starts[index + 1]! - this.prefix : this.pageBytes;
  }

  /** The number of the value `bytes[start, end)`, which is copied when it is new. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    // Values of a topic repeat: one producer, one exchange, runs of one symbol.
    const last = this.last;
    if (last >= 0 && this.equals(last, bytes, start, end)) return last;
    const hash = hashOf(bytes, this.given.of(bytes), start, end);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const index = this.slots[slot]! - 1;
      if (index < 0) break;
      if (this.hashes[index] === hash && this.equals(index, bytes, start, end)) {
        this.last = index;
        return index;
      }
      slot = (slot + 1) & mask;
    }
    const index = this.add(bytes, start, end, hash);
    this.slots[slot] = index + 1;
    if (this.size * 2 > this.slots.length) this.widenSlots();
    this.last = index;
    return index;
  }

  private equals(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[index]!;
    const length = end - start;
    if (this.endOf(index) - from !== length) return false;
    const page = this.page;
    const given = this.given.of(bytes);
    const kept = this.kept.of(page);
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      if (kept.getInt32(from + at, true) !== given.getInt32(start + at, true)) return false;
    }
    for (; at < length; at++) if (page[from + at] !== bytes[start + at]) return false;
    return true;
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    const needed = this.pageBytes + this.prefix + length;
    if (needed > this.page.length) {
      const wider = new Uint8Array(Math.max(needed, this.page.length * 2));
      wider.set(this.page.subarray(0, this.pageBytes));
      this.page = wider;
    }
    if (this.size === this.starts.length) {
      this.starts = widened(this.starts);
      this.hashes = widened(this.hashes);
    }
    let at = this.pageBytes;
    const page = this.page;
    if (this.prefix !== 0) {
      page[at++] = length;
      page[at++] = length >>> 8;
      page[at++] = length >>> 16;
      page[at++] = length >>> 24;
    }
    this.starts[this.size] = at;
    this.hashes[this.size] = hash;
    for (let from = start; from < end; from++) page[at++] = bytes[from]!;
    this.pageBytes = at;
    return this.size++;
  }

  private widenSlots(): void {
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = this.hashes[index]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.slots = slots;
  }
}

function widened(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(values.length * 2);
  wider.set(values);
  return wider;
}

/** Four bytes at a time, multiplied by the golden ratio's constant; not for hostile input, only for speed. */
function hashOf(bytes: Uint8Array, words: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x9e3779b1);
  return hash ^ (hash >>> 13);
}
