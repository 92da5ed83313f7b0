import { RecordBatchError } from '@tickline/schemas';

const FRAME_MAGIC = 0x184d2204;
/** Flags of the frame's first byte (lz4_Frame_format.md, "Frame Descriptor"). */
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
const IS_PLAIN = 0x80000000;

/**
 * Undoes an LZ4 frame, as Kafka's batches hold one. Its checksums are not checked: the batch's own covers them.
 * Throws RecordBatchError.
 */
export function lz4Decompress(input: Uint8Array, maxBytes: number): Buffer {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length < 7 || view.getUint32(0, true) !== FRAME_MAGIC)
    throw new RecordBatchError('lz4: not a frame');
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1 || (flags & HAS_DICTIONARY) !== 0) throw new RecordBatchError('lz4: not version 1');
  let at = 7 + ((flags & HAS_CONTENT_SIZE) === 0 ? 0 : 8);
  let output = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(65_536, input.length * 4)));
  let to = 0;
  for (;;) {
    if (at + 4 > input.length) throw new RecordBatchError('lz4: no end mark');
    const mark = view.getUint32(at, true);
    at += 4;
    if (mark === 0) return output.subarray(0, to);
    const size = mark & ~IS_PLAIN;
    if (at + size > input.length) throw new RecordBatchError('lz4: a block is cut off');
    const bound = to + blockBound(input, at, size, mark);
    if (bound > maxBytes) throw new RecordBatchError(`lz4: more than ${maxBytes} bytes`);
    if (bound > output.length) {
      const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(bound, output.length * 2)));
      output.copy(larger, 0, 0, to);
      output = larger;
    }
    if (mark >= IS_PLAIN) {
      output.set(input.subarray(at, at + size), to);
      to += size;
    } else {
      to = decodeBlock(input, at, at + size, output, to);
    }
    at += size + ((flags & HAS_BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
}

/** How many bytes a block has when it is decoded. */
function blockBound(input: Uint8Array, start: number, size: number, mark: number): number {
  return mark >= IS_PLAIN ? size : decodedLength(input, start, start + size);
}

function decodedLength(input: Uint8Array, start: number, end: number): number {
  let at = start;
  let length = 0;
  const more = (): number => {
    let sum = 0;
    for (;;) {
      if (at >= end) throw new RecordBatchError('lz4: a length is cut off');
      const byte = input[at++]!;
      sum += byte;
      if (byte !== 255) return sum;
    }
  };
  while (at < end) {
    const token = input[at++]!;
    let literals = token >> 4;
    if (literals === 15) literals += more();
    at += literals;
    length += literals;
    if (at >= end) break;
    at += 2;
    let match = token & 15;
    if (match === 15) match += more();
    length += match + 4;
  }
  return length;
}

/** lz4_Block_format.md: literals and copies in turn; a block ends with literals. Room was measured before. */
function decodeBlock(input: Uint8Array, start: number, end: number, output: Buffer, from: number): number {
  let at = start;
  let to = from;
  while (at < end) {
    const token = input[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let byte: number;
      do {
        byte = input[at++]!;
        literals += byte;
      } while (byte === 255);
    }
    if (at + literals > end) throw new RecordBatchError('lz4: literals are cut off');
    output.set(input.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === end) return to;
    if (at + 2 > end) throw new RecordBatchError('lz4: a copy is cut off');
    const offset = input[at]! | (input[at + 1]! << 8);
    at += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      let byte: number;
      do {
        byte = input[at++]!;
        match += byte;
      } while (byte === 255);
    }
    if (offset === 0 || offset > to) throw new RecordBatchError('lz4: a bad copy');
    // Byte by byte: a copy may reach into what it writes.
    for (let left = match; left > 0; left--, to++) output[to] = output[to - offset]!;
  }
  return to;
}
