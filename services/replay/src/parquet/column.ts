import { type ColumnSpec, ENCODING, type Encoding, PAGE_BYTES, PAGE_ROWS } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { Page, PageAssembly } from './page-assembly.ts';

/** Room for so many values at first: most of a partitioned export's files stay small for long. */
export const INITIAL_VALUES = 32;

/** Smallest and largest value of a column in one row group, plain-encoded without a length. */
export interface Bounds {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** A column of a row group, ready for the file. */
export interface ColumnChunk {
  readonly spec: ColumnSpec;
  readonly dictionary: Page | null;
  readonly pages: readonly Page[];
  readonly encodings: readonly Encoding[];
  /** With nulls. */
  readonly rows: number;
  readonly nulls: number;
  /** Null: not known, or there is no value. */
  readonly bounds: Bounds | null;
}

/**
 * Collects the values of one column for one row group, page by page. Subclasses add the values; each `append…`
 * adds exactly one row. `finish` ends it: a row group has new ones.
 */
export abstract class Column {
  readonly spec: ColumnSpec;
  protected readonly pages: Page[] = [];
  protected readonly assembly: PageAssembly;
  protected readonly memory: MemoryUse;
  /** Values in the page that is being filled, nulls left out. */
  protected values = 0;
  /** Bytes that the page's values take, where their number does not bound them. */
  protected valueBytes = 0;
  private pageRows = 0;
  private rows = 0;
  private nulls = 0;
  private pageNulls = 0;
  /** A level for each row of the page; null for a required column. */
  private levels: Uint8Array | null;

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    this.spec = spec;
    this.assembly = assembly;
    this.memory = memory;
    this.levels = spec.optional ? new Uint8Array(INITIAL_VALUES) : null;
    if (this.levels !== null) memory.add(INITIAL_VALUES);
  }

  appendNull(): void {
    if (this.levels === null) throw new Error(`column ${this.spec.name} is required and was given null`);
    this.pageNulls++;
    this.endRow(0);
  }

  finish(): ColumnChunk {
    if (this.pageRows > 0) this.endPage();
    const dictionary = this.dictionaryPage();
    return {
      spec: this.spec,
      dictionary,
      pages: this.pages,
      encodings: this.encodings(),
      rows: this.rows,
      nulls: this.nulls,
      bounds: this.bounds(),
    };
  }

  /** To be called by subclasses after each value. */
  protected endRow(level: 0 | 1): void {
    const row = this.pageRows++;
    if (this.levels !== null) {
      if (row === this.levels.length) {
        const wider = new Uint8Array(row * 2);
        wider.set(this.levels);
        this.memory.add(row);
        this.levels = wider;
      }
      this.levels[row] = level;
    }
    if (row + 1 === PAGE_ROWS || this.valueBytes >= PAGE_BYTES) this.endPage();
  }

  /** Adds the page's values to the assembly, and says how they are encoded. */
  protected abstract addValues(): Encoding;

  protected bounds(): Bounds | null {
    return null;
  }

  protected dictionaryPage(): Page | null {
    return null;
  }

  protected encodings(): Encoding[] {
    return [ENCODING.plain, ENCODING.rle];
  }

  private endPage(): void {
    const { assembly } = this;
    assembly.clear();
    if (this.levels !== null) assembly.addLevels(this.levels, this.pageRows);
    const encoding = this.addValues();
    const page = assembly.dataPage(this.pageRows, encoding);
    this.pages.push(page);
    this.memory.add(page.header.length + page.payload.length);
    this.rows += this.pageRows;
    this.nulls += this.pageNulls;
    this.pageRows = 0;
    this.pageNulls = 0;
    this.values = 0;
    this.valueBytes = 0;
  }
}
