import { DictionaryColumn } from './dictionary-column.ts';
import type { ColumnSpec } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { PageAssembly } from './page-assembly.ts';

/** UTF-8 text. */
export class StringColumn extends DictionaryColumn {
  /** Byte by byte, unsigned: Parquet's order of UTF-8. */
  protected override readonly compare = Buffer.compare;

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    super(spec, assembly, memory, 4);
  }

  /** The text `bytes[start, end)`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    this.appendBytes(bytes, start, end);
  }
}
