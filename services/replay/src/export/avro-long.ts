/** The bit of each of four bytes that says that a varint goes on. */
const GOES_ON = 0x80808080 | 0;

/**
 * The 64 bits of an Avro int or long (zigzag varint; Avro 1.12, "Binary Encoding"), as two halves: exact where a
 * number is not, without a BigInt. One instance is filled again and again.
 */
export class AvroLong {
  /** The lower 32 bits, as int32. */
  low = 0;
  /** The upper 32 bits with the sign, as int32. */
  high = 0;

  /** Takes the value at `at`, which was walked over before and so ends within the bytes. */
  read(bytes: DataView, at: number): void {
    if (at + 8 > bytes.byteLength) {
      this.readByBytes(bytes, at);
      return;
    }
    // Times have eight bytes: two words are taken at once, without a branch for each byte.
    const first = bytes.getInt32(at, true);
    const firstEnds = ~first & GOES_ON;
    if (firstEnds !== 0) {
      this.set(sevenBitsEach(first & upToEnd(firstEnds)), 0, 0);
      return;
    }
    const second = bytes.getInt32(at + 4, true);
    const secondEnds = ~second & GOES_ON;
    if (secondEnds !== 0) {
      this.set(sevenBitsEach(first), sevenBitsEach(second & upToEnd(secondEnds)), 0);
    } else {
      this.readByBytes(bytes, at);
    }
  }

  /** The value; exact at any size. */
  get value(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  private readByBytes(bytes: DataView, at: number): void {
    let here = at;
    let byte = bytes.getUint8(here++);
    let lower = byte & 0x7f;
    let middle = 0;
    let upper = 0;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes.getUint8(here++);
      const bits = byte & 0x7f;
      if (shift < 28) lower |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else upper |= bits << (shift - 56);
    }
    this.set(lower, middle, upper);
  }

  /** Three parts of the zigzag, of 28, 28 and 8 bits. */
  private set(lower: number, middle: number, upper: number): void {
    const low = lower | (middle << 28);
    const high = (middle >>> 4) | (upper << 24);
    const sign = -(low & 1);
    this.low = ((low >>> 1) | (high << 31)) ^ sign;
    this.high = (high >>> 1) ^ sign;
  }
}

/** All bits up to the lowest that is set. */
function upToEnd(ends: number): number {
  return ends ^ (ends - 1);
}

/** The lower seven bits of each of four bytes, next to each other. */
function sevenBitsEach(word: number): number {
  return (word & 0x7f) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1fc000) | ((word >>> 3) & 0xfe00000);
}
