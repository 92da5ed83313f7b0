import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { BATCH_COMPRESSION, BATCH_COMPRESSION_MASK, RecordBatchError } from '@tickline/schemas';
import { lz4Decompress } from './compression/lz4.ts';
import { snappyDecompress } from './compression/snappy.ts';

/** More than any batch has by far: a broken one must not fill the memory. */
const MAX_BATCH_BYTES = 512 * 1024 * 1024;

/** The records of a batch without their compression. Throws RecordBatchError. */
export function decompressRecords(records: Buffer, attributes: number): Buffer {
  const codec = attributes & BATCH_COMPRESSION_MASK;
  try {
    switch (codec) {
      case BATCH_COMPRESSION.none:
        return records;
      case BATCH_COMPRESSION.gzip:
        return gunzipSync(records, { maxOutputLength: MAX_BATCH_BYTES });
      case BATCH_COMPRESSION.snappy:
        return snappyDecompress(records, MAX_BATCH_BYTES);
      case BATCH_COMPRESSION.lz4:
        return lz4Decompress(records, MAX_BATCH_BYTES);
      case BATCH_COMPRESSION.zstd:
        return zstdDecompressSync(records, { maxOutputLength: MAX_BATCH_BYTES });
    }
  } catch (cause) {
    if (cause instanceof RecordBatchError) throw cause;
    throw new RecordBatchError(`the compression can't be undone: ${(cause as Error).message}`, { cause });
  }
  throw new RecordBatchError(`the batch is compressed by codec ${codec}, which is none of Kafka's`);
}
