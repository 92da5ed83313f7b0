import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import {
  BATCH_COMPRESSION,
  BATCH_LAYOUT,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  writeSignedVarint,
} from '@tickline/schemas';

/** A record of a batch that a test makes. */
export interface MadeRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** What is special about a batch. */
export interface BatchOptions {
  readonly compression?: keyof typeof BATCH_COMPRESSION;
  /** Bits of `attributes` beside the codec. */
  readonly attributes?: number;
  /** Offset of the batch itself, as after compaction; default the first record's. */
  readonly baseOffset?: number;
  /** Default the last record's offset. */
  readonly lastOffset?: number;
  readonly compress?: (records: Buffer) => Buffer;
}

/** A record batch of version 2 with these records, as a broker would send it. */
export function encodeBatch(records: readonly MadeRecord[], options: BatchOptions = {}): Buffer {
  const baseOffset = options.baseOffset ?? records[0]?.offset ?? 0;
  const baseTimestamp = records[0]?.timestampMs ?? 0;
  const body = Buffer.concat(
    records.map(({ offset, timestampMs, key, value }) =>
      encodeRecord(offset - baseOffset, timestampMs - baseTimestamp, key, value),
    ),
  );
  const compression = options.compression ?? 'none';
  const packed = options.compress?.(body) ?? pack(body, compression);
  const batch = Buffer.alloc(BATCH_LAYOUT.records + packed.length);
  batch.writeBigInt64BE(BigInt(baseOffset), BATCH_LAYOUT.baseOffset);
  batch.writeInt32BE(batch.length - BATCH_LENGTH_OVERHEAD, BATCH_LAYOUT.batchLength);
  batch.writeInt8(BATCH_MAGIC, BATCH_LAYOUT.magic);
  batch.writeInt16BE(BATCH_COMPRESSION[compression] | (options.attributes ?? 0), BATCH_LAYOUT.attributes);
  batch.writeInt32BE(
    (options.lastOffset ?? records.at(-1)?.offset ?? 0) - baseOffset,
    BATCH_LAYOUT.lastOffsetDelta,
  );
  batch.writeBigInt64BE(BigInt(baseTimestamp), BATCH_LAYOUT.baseTimestamp);
  const latest = records.reduce((most, { timestampMs }) => Math.max(most, timestampMs), 0);
  batch.writeBigInt64BE(BigInt(latest), BATCH_LAYOUT.maxTimestamp);
  batch.writeBigInt64BE(-1n, BATCH_LAYOUT.producerId);
  batch.writeInt16BE(-1, BATCH_LAYOUT.producerEpoch);
  batch.writeInt32BE(-1, BATCH_LAYOUT.baseSequence);
  batch.writeInt32BE(records.length, BATCH_LAYOUT.recordCount);
  packed.copy(batch, BATCH_LAYOUT.records);
  batch.writeUInt32BE(crc32c(batch.subarray(BATCH_LAYOUT.attributes)), BATCH_LAYOUT.crc);
  return batch;
}

function pack(body: Buffer, compression: keyof typeof BATCH_COMPRESSION): Buffer {
  if (compression === 'gzip') return gzipSync(body);
  return compression === 'zstd' ? zstdCompressSync(body) : body;
}

function encodeRecord(
  offsetDelta: number,
  timestampDelta: number,
  key: Buffer | null,
  value: Buffer | null,
): Buffer {
  const target = Buffer.alloc(64 + (key?.length ?? 0) + (value?.length ?? 0));
  let at = 1; // attributes
  at = writeSignedVarint(target, at, timestampDelta);
  at = writeSignedVarint(target, at, offsetDelta);
  for (const part of [key, value]) {
    at = writeSignedVarint(target, at, part?.length ?? -1);
    if (part !== null) at += part.copy(target, at);
  }
  at = writeSignedVarint(target, at, 0); // headers
  const length = Buffer.alloc(10);
  return Buffer.concat([length.subarray(0, writeSignedVarint(length, 0, at)), target.subarray(0, at)]);
}
