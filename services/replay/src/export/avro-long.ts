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
  read(bytes: Uint8Array, at: number): void {
    let here = at;
    let byte = bytes[here++]!;
    // Three parts of 28, 28 and 8 bits.
    let lower = byte & 0x7f;
    let middle = 0;
    let upper = 0;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[here++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lower |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else upper |= bits << (shift - 56);
    }
    const low = lower | (middle << 28);
    const high = (middle >>> 4) | (upper << 24);
    const sign = -(low & 1);
    this.low = ((low >>> 1) | (high << 31)) ^ sign;
    this.high = (high >>> 1) ^ sign;
  }

  /** The value; exact at any size. */
  get value(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }
}
