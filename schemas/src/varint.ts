/**
 * Seven bits a byte, least significant first, for values from 0 to 2^53: protobuf's varint, and the
 * body of Avro's. Returns the offset behind.
 */
export function writeUnsignedVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  if (rest > 0x7fffffff) {
    // Four bytes' worth at once by one division; what remains fits 32-bit operations.
    const high = Math.floor(rest / 0x10000000);
    const low = rest - high * 0x10000000;
    target[at] = (low & 0x7f) | 0x80;
    target[at + 1] = ((low >>> 7) & 0x7f) | 0x80;
    target[at + 2] = ((low >>> 14) & 0x7f) | 0x80;
    target[at + 3] = (low >>> 21) | 0x80;
    at += 4;
    rest = high;
  }
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
