import { DictionaryColumn } from './dictionary-column.ts';
import { type ColumnSpec, DECIMAL_BYTES } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { PageAssembly } from './page-assembly.ts';

/** Decimals: the unscaled integer in sixteen bytes of two's complement, big-endian. */
export class DecimalColumn extends DictionaryColumn {
  protected override readonly compare = null;
  private readonly wide = new Uint8Array(DECIMAL_BYTES);

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    super(spec, assembly, memory, 0);
  }

  /** The unscaled integer `bytes[start, end)`, big-endian two's complement in at most sixteen bytes; none: zero. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const wide = this.wide;
    const sign = start < end && bytes[start]! > 0x7f ? 0xff : 0;
    const fill = DECIMAL_BYTES - (end - start);
    let at = 0;
    while (at < fill) wide[at++] = sign;
    for (let from = start; from < end; from++) wide[at++] = bytes[from]!;
    this.appendBytes(wide, 0, DECIMAL_BYTES);
  }
}
