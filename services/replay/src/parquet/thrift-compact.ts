/** Element types of Thrift's compact protocol, as they stand in field and list headers. */
export const COMPACT_TYPE = {
  true: 1,
  false: 2,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
} as const;
type ElementType = (typeof COMPACT_TYPE)[keyof typeof COMPACT_TYPE];

const INITIAL_BYTES = 1024;
/** A list of 15 or more elements says its length in a varint of its own. */
const LONG_LIST = 15;

/**
 * Writes one struct in Thrift's compact protocol (apache/thrift, doc/specs/thrift-compact-protocol.md), which is
 * what Parquet's footer and page headers are written in. Fields are written in ascending order of their ids.
 */
export class CompactWriter {
  private bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  private length = 0;
  private lastField = 0;

  /** The bytes of `body`'s fields as one whole struct. */
  static struct(body: (writer: CompactWriter) => void): Buffer {
    const writer = new CompactWriter();
    writer.structOf(() => body(writer));
    return writer.bytes.subarray(0, writer.length);
  }

  boolean(field: number, value: boolean): void {
    this.fieldHeader(field, value ? COMPACT_TYPE.true : COMPACT_TYPE.false);
  }

  i16(field: number, value: number): void {
    this.fieldHeader(field, COMPACT_TYPE.i16);
    this.zigzag(BigInt(value));
  }

  i32(field: number, value: number): void {
    this.fieldHeader(field, COMPACT_TYPE.i32);
    this.zigzag(BigInt(value));
  }

  i64(field: number, value: number | bigint): void {
    this.fieldHeader(field, COMPACT_TYPE.i64);
    this.zigzag(BigInt(value));
  }

  binary(field: number, value: Uint8Array): void {
    this.fieldHeader(field, COMPACT_TYPE.binary);
    this.bytesOf(value);
  }

  text(field: number, value: string): void {
    this.binary(field, Buffer.from(value, 'utf8'));
  }

  struct(field: number, body: () => void): void {
    this.fieldHeader(field, COMPACT_TYPE.struct);
    this.structOf(body);
  }

  i32List(field: number, values: readonly number[]): void {
    this.listHeader(field, COMPACT_TYPE.i32, values.length);
    for (const value of values) this.zigzag(BigInt(value));
  }

  textList(field: number, values: readonly string[]): void {
    this.listHeader(field, COMPACT_TYPE.binary, values.length);
    for (const value of values) this.bytesOf(Buffer.from(value, 'utf8'));
  }

  structList<T>(field: number, values: readonly T[], body: (value: T) => void): void {
    this.listHeader(field, COMPACT_TYPE.struct, values.length);
    for (const value of values) this.structOf(() => body(value));
  }

  /** A list of structs that were written before, by `CompactWriter.struct`. */
  writtenStructList(field: number, structs: readonly Uint8Array[]): void {
    this.listHeader(field, COMPACT_TYPE.struct, structs.length);
    for (const struct of structs) this.raw(struct);
  }

  private structOf(body: () => void): void {
    const outer = this.lastField;
    this.lastField = 0;
    body();
    this.byte(0);
    this.lastField = outer;
  }

  private fieldHeader(field: number, type: ElementType): void {
    const delta = field - this.lastField;
    this.lastField = field;
    if (delta > 0 && delta < 16) {
      this.byte((delta << 4) | type);
    } else {
      this.byte(type);
      this.zigzag(BigInt(field));
    }
  }

  private listHeader(field: number, type: ElementType, length: number): void {
    this.fieldHeader(field, COMPACT_TYPE.list);
    if (length < LONG_LIST) {
      this.byte((length << 4) | type);
    } else {
      this.byte((LONG_LIST << 4) | type);
      this.varint(BigInt(length));
    }
  }

  private bytesOf(value: Uint8Array): void {
    this.varint(BigInt(value.length));
    this.raw(value);
  }

  private zigzag(value: bigint): void {
    this.varint(value < 0n ? -2n * value - 1n : 2n * value);
  }

  private varint(value: bigint): void {
    let rest = value;
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  private raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }
}
