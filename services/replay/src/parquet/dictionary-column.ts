import { ByteDictionary } from './byte-dictionary.ts';
import { type Bounds, Column, INITIAL_VALUES } from './column.ts';
import { type ColumnSpec, ENCODING, type Encoding, PAGE_BYTES, PAGE_ROWS } from './format.ts';
import { bitWidthOf } from './hybrid-encoding.ts';
import type { MemoryUse } from './memory-use.ts';
import type { Page, PageAssembly } from './page-assembly.ts';

/** A dictionary that has grown to this takes no further values: what follows is written plain. */
const MAX_DICTIONARY_BYTES = 1 << 20;
/** A first page in which more than this share of the values is new is not worth a dictionary. */
const MAX_DISTINCT_SHARE = 0.5;
/** Bounds of long texts are left out. */
const MAX_BOUND_BYTES = 64;

/**
 * Values of bytes: as indexes into a dictionary while they repeat, plain from the page on where they do not. Both
 * may be in one column of a row group; readers tell them apart by the page's encoding.
 */
export abstract class DictionaryColumn extends Column {
  private readonly dictionary: ByteDictionary;
  private indexes = new Int32Array(INITIAL_VALUES);
  private plain = new Uint8Array(0);
  /** Whether values of the current page go into the dictionary. */
  private asIndexes = true;
  private dictionaryPages = 0;
  /** What the account knows of the dictionary. */
  private dictionaryHeld: number;
  private readonly prefix: 0 | 4;

  /** `prefix`: 4 for values with a length, 0 for values of a fixed width. */
  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse, prefix: 0 | 4) {
    super(spec, assembly, memory);
    this.prefix = prefix;
    this.dictionary = new ByteDictionary(prefix);
    this.dictionaryHeld = this.dictionary.heldBytes;
    memory.add(this.dictionaryHeld + this.indexes.byteLength);
  }

  /** Which of two values is less, for the bounds; null where bounds are not kept. */
  protected abstract readonly compare: ((left: Uint8Array, right: Uint8Array) => number) | null;

  protected appendBytes(bytes: Uint8Array, start: number, end: number): void {
    if (this.asIndexes) {
      const at = this.values++;
      if (at === this.indexes.length) this.widenIndexes();
      const { dictionary } = this;
      const size = dictionary.size;
      this.indexes[at] = dictionary.intern(bytes, start, end);
      if (dictionary.size !== size) this.countDictionary();
    } else {
      this.values++;
      this.appendPlain(bytes, start, end);
    }
    this.endRow(1);
  }

  protected override addValues(): Encoding {
    const { assembly, dictionary } = this;
    const first = this.pages.length === 0;
    if (this.asIndexes && !(first && this.isNotWorthIt())) {
      assembly.addIndexes(this.indexes, this.values, Math.max(1, bitWidthOf(dictionary.size - 1)));
      this.dictionaryPages++;
      if (dictionary.pageBytes >= MAX_DICTIONARY_BYTES) this.asIndexes = false;
      return ENCODING.rleDictionary;
    }
    if (this.asIndexes) {
      this.asIndexes = false;
      this.valueBytes = 0;
      for (let at = 0; at < this.values; at++) {
        const index = this.indexes[at]!;
        this.appendPlain(dictionary.page, dictionary.starts[index]!, dictionary.endOf(index));
      }
    }
    assembly.addBytes(this.plain.subarray(0, this.valueBytes));
    return ENCODING.plain;
  }

  protected override dictionaryPage(): Page | null {
    if (this.dictionaryPages === 0) return null;
    const { assembly, dictionary } = this;
    assembly.clear();
    assembly.addBytes(dictionary.page.subarray(0, dictionary.pageBytes));
    return assembly.dictionaryPage(dictionary.size);
  }

  protected override encodings(): Encoding[] {
    // A dictionary page is plain itself.
    const encodings: Encoding[] = [ENCODING.plain, ENCODING.rle];
    return this.dictionaryPages > 0 ? [...encodings, ENCODING.rleDictionary] : encodings;
  }

  /** Known only while all values are in the dictionary. */
  protected override bounds(): Bounds | null {
    const { compare, dictionary } = this;
    if (compare === null || this.dictionaryPages === 0 || this.dictionaryPages < this.pages.length)
      return null;
    let min: Uint8Array | null = null;
    let max: Uint8Array | null = null;
    for (let index = 0; index < dictionary.size; index++) {
      const value = dictionary.page.subarray(dictionary.starts[index]!, dictionary.endOf(index));
      if (value.length > MAX_BOUND_BYTES) return null;
      if (min === null || compare(value, min) < 0) min = value;
      if (max === null || compare(value, max) > 0) max = value;
    }
    return min === null || max === null ? null : { min, max };
  }

  private isNotWorthIt(): boolean {
    const { size } = this.dictionary;
    // A short page says little, and costs little.
    return this.values >= PAGE_ROWS / 8 && size > this.values * MAX_DISTINCT_SHARE;
  }

  /** After a new value: accounts for it, and ends the page with which the dictionary is full. */
  private countDictionary(): void {
    const { heldBytes, pageBytes } = this.dictionary;
    this.memory.add(heldBytes - this.dictionaryHeld);
    this.dictionaryHeld = heldBytes;
    if (pageBytes >= MAX_DICTIONARY_BYTES) this.valueBytes = PAGE_BYTES;
  }

  private appendPlain(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const needed = this.valueBytes + this.prefix + length;
    if (needed > this.plain.length) {
      const wider = new Uint8Array(Math.max(needed, this.plain.length * 2, 1024));
      wider.set(this.plain.subarray(0, this.valueBytes));
      this.memory.add(wider.length - this.plain.length);
      this.plain = wider;
    }
    const plain = this.plain;
    let at = this.valueBytes;
    if (this.prefix !== 0) {
      plain[at++] = length;
      plain[at++] = length >>> 8;
      plain[at++] = length >>> 16;
      plain[at++] = length >>> 24;
    }
    for (let from = start; from < end; from++) plain[at++] = bytes[from]!;
    this.valueBytes = at;
  }

  private widenIndexes(): void {
    const wider = new Int32Array(this.indexes.length * 2);
    wider.set(this.indexes);
    this.memory.add(this.indexes.byteLength);
    this.indexes = wider;
  }
}
