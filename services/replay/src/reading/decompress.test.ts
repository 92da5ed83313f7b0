import { BATCH_COMPRESSION, RecordBatchError } from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lz4Decompress } from './compression/lz4.ts';
import { snappyDecompress } from './compression/snappy.ts';
import { decompressRecords } from './decompress.ts';

const LIMIT = 1 << 20;

// test/replay/faults.test.ts reads what librdkafka compressed. Here: the formats' own elements, put together by hand.

/** `abcabcabcabc!` as a literal, a copy that reaches into itself, and a literal. */
const SNAPPY = Buffer.from([13, (3 - 1) << 2, 0x61, 0x62, 0x63, ((9 - 4) << 2) | 1, 3, 0, 0x21]);
/** The same as one LZ4 block. */
const LZ4_BLOCK = Buffer.from([(3 << 4) | (9 - 4), 0x61, 0x62, 0x63, 3, 0, 1 << 4, 0x21]);

function lz4Frame(blocks: readonly Buffer[], { isPlain = false, hasChecksum = false } = {}): Buffer {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40 | 0x20 | (hasChecksum ? 0x10 : 0), 0x40, 0]);
  const parts = blocks.flatMap((block) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE((block.length | (isPlain ? 0x80000000 : 0)) >>> 0);
    return hasChecksum ? [size, block, Buffer.alloc(4)] : [size, block];
  });
  return Buffer.concat([head, ...parts, Buffer.alloc(4)]);
}

describe('snappyDecompress', () => {
  it('undoes literals and copies, raw and in blocks behind the Java client’s header', () => {
    expect(snappyDecompress(SNAPPY, LIMIT).toString()).toBe('abcabcabcabc!');
    const size = Buffer.from([0, 0, 0, SNAPPY.length]);
    const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const stream = Buffer.concat([header, size, SNAPPY, size, SNAPPY]);
    expect(snappyDecompress(stream, LIMIT).toString()).toBe('abcabcabcabc!abcabcabcabc!');
  });

  it('undoes long literals', () => {
    const literal = Buffer.alloc(300, 0x7a);
    const block = Buffer.concat([Buffer.from([0xac, 0x02, 61 << 2, 299 & 0xff, 299 >> 8]), literal]);
    expect(snappyDecompress(block, LIMIT)).toEqual(literal);
  });

  it('throws RecordBatchError for anything else, and for more than the limit', () => {
    expect(() => snappyDecompress(SNAPPY, 12)).toThrow(RecordBatchError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          snappyDecompress(bytes, LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordBatchError);
        }
      }),
    );
    for (let length = 0; length < SNAPPY.length; length++) {
      expect(() => snappyDecompress(SNAPPY.subarray(0, length), LIMIT)).toThrow(RecordBatchError);
    }
  });
});

describe('lz4Decompress', () => {
  it('undoes frames of packed and plain blocks, with checksums or without', () => {
    expect(lz4Decompress(lz4Frame([LZ4_BLOCK]), LIMIT).toString()).toBe('abcabcabcabc!');
    expect(lz4Decompress(lz4Frame([LZ4_BLOCK, LZ4_BLOCK], { hasChecksum: true }), LIMIT).toString()).toBe(
      'abcabcabcabc!abcabcabcabc!',
    );
    const plain = Buffer.alloc(200_000, 0x41);
    expect(lz4Decompress(lz4Frame([plain], { isPlain: true }), LIMIT)).toEqual(plain);
  });

  it('throws RecordBatchError for anything else, and for more than the limit', () => {
    const frame = lz4Frame([LZ4_BLOCK]);
    expect(() => lz4Decompress(frame, 12)).toThrow(RecordBatchError);
    for (let length = 0; length < frame.length; length++) {
      expect(() => lz4Decompress(frame.subarray(0, length), LIMIT)).toThrow(RecordBatchError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          lz4Decompress(lz4Frame([Buffer.from(bytes)]), LIMIT);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordBatchError);
        }
      }),
    );
  });
});

describe('decompressRecords', () => {
  it('chooses by the batch’s attributes and names a codec that is none', () => {
    expect(decompressRecords(SNAPPY, BATCH_COMPRESSION.snappy).toString()).toBe('abcabcabcabc!');
    expect(decompressRecords(lz4Frame([LZ4_BLOCK]), BATCH_COMPRESSION.lz4).toString()).toBe('abcabcabcabc!');
    expect(() => decompressRecords(SNAPPY, 6)).toThrow('codec 6');
  });
});
