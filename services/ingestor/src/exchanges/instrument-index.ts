import type { IndexedInstrument, Instrument } from './instrument.ts';

/**
 * Instruments by the bytes of their native name, without building a string for a look-up. Open
 * addressing over FNV-1a; instruments are only ever added.
 */
export class InstrumentIndex {
  private table: Int32Array = new Int32Array(64).fill(-1);
  private readonly names: Uint8Array[] = [];
  private readonly instruments: IndexedInstrument[] = [];
  /** Makes an instrument for an unknown name (`decode --any-instrument`); null: it stays unknown. */
  private readonly onMissing: ((exchangeSymbol: string) => Instrument) | null;

  constructor(onMissing: ((exchangeSymbol: string) => Instrument) | null = null) {
    this.onMissing = onMissing;
  }

  get size(): number {
    return this.instruments.length;
  }

  all(): readonly IndexedInstrument[] {
    return this.instruments;
  }

  /** Adds an instrument, or returns the one that has this native name already. */
  add(instrument: Instrument): IndexedInstrument {
    const name = Buffer.from(instrument.exchangeSymbol, 'utf8');
    const known = this.find(name, 0, name.length);
    if (known !== undefined) return known;
    const slot = this.instruments.length;
    const indexed: IndexedInstrument = { ...instrument, slot };
    this.instruments.push(indexed);
    this.names.push(name);
    if (this.instruments.length * 2 > this.table.length) this.grow();
    else this.place(slot);
    return indexed;
  }

  /** The instrument whose native name is `bytes[start, end)`. */
  lookup(bytes: Uint8Array, start: number, end: number): IndexedInstrument | undefined {
    const found = this.find(bytes, start, end);
    if (found !== undefined || this.onMissing === null) return found;
    return this.add(this.onMissing(Buffer.from(bytes.subarray(start, end)).toString('utf8')));
  }

  private find(bytes: Uint8Array, start: number, end: number): IndexedInstrument | undefined {
    const mask = this.table.length - 1;
    let at = hash(bytes, start, end) & mask;
    for (;;) {
      const slot = this.table[at]!;
      if (slot === -1) return undefined;
      if (equals(this.names[slot]!, bytes, start, end)) return this.instruments[slot];
      at = (at + 1) & mask;
    }
  }

  private place(slot: number): void {
    const name = this.names[slot]!;
    const mask = this.table.length - 1;
    let at = hash(name, 0, name.length) & mask;
    while (this.table[at] !== -1) at = (at + 1) & mask;
    this.table[at] = slot;
  }

  private grow(): void {
    this.table = new Int32Array(this.table.length * 2).fill(-1);
    for (let slot = 0; slot < this.instruments.length; slot++) this.place(slot);
  }
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  return value ^ (value >>> 15);
}

function equals(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false;
  return true;
}
