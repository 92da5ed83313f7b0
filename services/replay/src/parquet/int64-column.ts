import { type Bounds, Column, INITIAL_VALUES } from './column.ts';
import { type ColumnSpec, ENCODING, type Encoding } from './format.ts';
import type { MemoryUse } from './memory-use.ts';
import type { PageAssembly } from './page-assembly.ts';

/** 64-bit integers, taken as two halves because a BigInt for each value would cost more than all else. */
export class Int64Column extends Column {
  /** Low half, high half, low half, …: the file's byte order on the machines that Node has (little-endian). */
  private halves = new Int32Array(INITIAL_VALUES * 2);
  private anyValue = false;
  private minLow = 0;
  private minHigh = 0;
  private maxLow = 0;
  private maxHigh = 0;

  constructor(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse) {
    super(spec, assembly, memory);
    memory.add(this.halves.byteLength);
  }

  /** `low`: the lower 32 bits, `high`: the upper ones with the sign; both as int32. */
  append(low: number, high: number): void {
    const at = this.values++ * 2;
    if (at === this.halves.length) this.widen();
    this.halves[at] = low;
    this.halves[at + 1] = high;
    if (!this.anyValue) {
      this.anyValue = true;
      this.minLow = this.maxLow = low;
      this.minHigh = this.maxHigh = high;
    } else if (high < this.minHigh || (high === this.minHigh && low >>> 0 < this.minLow >>> 0)) {
      this.minLow = low;
      this.minHigh = high;
    } else if (high > this.maxHigh || (high === this.maxHigh && low >>> 0 > this.maxLow >>> 0)) {
      this.maxLow = low;
      this.maxHigh = high;
    }
    this.endRow(1);
  }

  protected override addValues(): Encoding {
    this.assembly.addBytes(new Uint8Array(this.halves.buffer, 0, this.values * 8));
    return ENCODING.plain;
  }

  protected override bounds(): Bounds | null {
    if (!this.anyValue) return null;
    return { min: bytesOf(this.minLow, this.minHigh), max: bytesOf(this.maxLow, this.maxHigh) };
  }

  private widen(): void {
    const wider = new Int32Array(this.halves.length * 2);
    wider.set(this.halves);
    this.memory.add(this.halves.byteLength);
    this.halves = wider;
  }
}

function bytesOf(low: number, high: number): Uint8Array {
  return new Uint8Array(Int32Array.of(low, high).buffer);
}
