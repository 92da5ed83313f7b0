import { RecordBatchError } from '@tickline/schemas';

/** What the Java client's stream writes before its blocks (xerial snappy-java, SnappyOutputStream). */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version, least compatible version. */
const XERIAL_HEADER_BYTES = 16;

/**
 * Undoes Kafka's snappy: raw snappy (librdkafka), or blocks behind snappy-java's stream header, each with its
 * length before it. Throws RecordBatchError.
 */
export function snappyDecompress(input: Uint8Array, maxBytes: number): Buffer {
  if (!XERIAL_MAGIC.every((byte, at) => input[at] === byte))
    return rawBlock(input, 0, input.length, maxBytes);
  const blocks: Buffer[] = [];
  let left = maxBytes;
  for (let at = XERIAL_HEADER_BYTES; at < input.length; ) {
    if (at + 4 > input.length) throw new RecordBatchError('snappy: a block has no length');
    const length = new DataView(input.buffer, input.byteOffset + at, 4).getInt32(0);
    at += 4;
    if (length < 0 || at + length > input.length) throw new RecordBatchError('snappy: a block is cut off');
    const block = rawBlock(input, at, at + length, left);
    left -= block.length;
    blocks.push(block);
    at += length;
  }
  return Buffer.concat(blocks);
}

/** google/snappy, format_description.txt: the length, then literals and copies. */
function rawBlock(input: Uint8Array, start: number, end: number, maxBytes: number): Buffer {
  let at = start;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw new RecordBatchError('snappy: no length');
    const byte = input[at++]!;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > maxBytes) throw new RecordBatchError(`snappy: more than ${maxBytes} bytes`);
  const output = Buffer.allocUnsafe(length);
  let to = 0;
  while (at < end) {
    const tag = input[at++]!;
    let size: number;
    let offset = 0;
    if ((tag & 3) === 0) {
      size = (tag >> 2) + 1;
      if (size > 60) {
        const bytes = size - 60;
        size = littleEndian(input, at, bytes, end) + 1;
        at += bytes;
      }
      if (at + size > end || to + size > length) throw new RecordBatchError('snappy: a literal is too long');
      output.set(input.subarray(at, at + size), to);
      at += size;
      to += size;
      continue;
    }
    if ((tag & 3) === 1) {
      size = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | littleEndian(input, at, 1, end);
      at += 1;
    } else {
      const bytes = (tag & 3) === 2 ? 2 : 4;
      size = (tag >> 2) + 1;
      offset = littleEndian(input, at, bytes, end);
      at += bytes;
    }
    if (offset === 0 || offset > to || to + size > length) throw new RecordBatchError('snappy: a bad copy');
    // Byte by byte: a copy may reach into what it writes.
    for (let left = size; left > 0; left--, to++) output[to] = output[to - offset]!;
  }
  if (to !== length) throw new RecordBatchError('snappy: cut off');
  return output;
}

function littleEndian(input: Uint8Array, at: number, bytes: number, end: number): number {
  if (at + bytes > end) throw new RecordBatchError('snappy: cut off');
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + input[at + index]!;
  return value;
}
