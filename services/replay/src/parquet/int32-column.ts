import { type Bounds, Column, INITIAL_VALUES } from './column.ts';
import { type ColumnSpec, ENCODING, type Encoding } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { PageAssembly } from './page-assembly.ts';

/** 32-bit integers. */
export class Int32Column extends Column {
  private numbers = new Int32Array(INITIAL_VALUES);
  private anyValue = false;
  private min = 0x7fffffff;
  private max = -0x80000000;

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    super(spec, assembly, memory);
    memory.add(this.numbers.byteLength);
  }

  append(value: number): void {
    const at = this.values++;
    if (at === this.numbers.length) this.widen();
    this.numbers[at] = value;
    this.anyValue = true;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.endRow(1);
  }

  protected override addValues(): Encoding {
    this.assembly.addBytes(new Uint8Array(this.numbers.buffer, 0, this.values * 4));
    return ENCODING.plain;
  }

  protected override bounds(): Bounds | null {
    return this.anyValue ? { min: bytesOf(this.min), max: bytesOf(this.max) } : null;
  }

  private widen(): void {
    const wider = new Int32Array(this.numbers.length * 2);
    wider.set(this.numbers);
    this.memory.add(this.numbers.byteLength);
    this.numbers = wider;
  }
}

function bytesOf(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
