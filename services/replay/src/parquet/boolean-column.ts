import { Column, INITIAL_VALUES } from './column.ts';
import { type ColumnSpec, ENCODING, type Encoding } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { PageAssembly } from './page-assembly.ts';

/** Booleans: a bit each, the first in the lowest bit (parquet-format, Encodings.md, "Plain"). */
export class BooleanColumn extends Column {
  private bits = new Uint8Array(INITIAL_VALUES);

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    super(spec, assembly, memory);
    memory.add(this.bits.length);
  }

  append(value: boolean): void {
    const at = this.values++;
    const byte = at >>> 3;
    if (byte === this.bits.length) this.widen();
    if ((at & 7) === 0) this.bits[byte] = 0;
    if (value) this.bits[byte]! |= 1 << (at & 7);
    this.endRow(1);
  }

  protected override addValues(): Encoding {
    this.assembly.addBytes(this.bits.subarray(0, (this.values + 7) >>> 3));
    return ENCODING.plain;
  }

  private widen(): void {
    const wider = new Uint8Array(this.bits.length * 2);
    wider.set(this.bits);
    this.memory.add(this.bits.length);
    this.bits = wider;
  }
}
