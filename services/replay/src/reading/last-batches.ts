import {
  BATCH_CONTROL,
  BATCH_LAYOUT,
  RecordBatchError,
  RecordCursor,
  readBatchHeader,
  schemaIdOf,
  WireFormatError,
} from '@tickline/schemas';
import { decompressRecords } from './decompress.ts';
import { FetchPool } from './fetch-pool.ts';
import type { TopicSource } from './topic-source.ts';

/** What the last batch of a partition tells. */
export interface LastBatch {
  readonly partition: number;
  /** Latest timestamp of its records, milliseconds. */
  readonly timestampMs: number;
  /** Schema ids that its records name. */
  readonly schemaIds: readonly number[];
}

/** The last batch of each partition that has one. A corrupted one tells its timestamp and no ids, or nothing. */
export async function lastBatches(
  source: TopicSource,
  topic: string,
  signal: AbortSignal,
): Promise<LastBatch[]> {
  const bounds = await source.bounds(topic);
  const ranges = bounds
    .filter(({ low, high }) => low < high)
    .map(({ partition, high }) => ({ topic, partition, start: high - 1, end: high }));
  const pool = new FetchPool(source, ranges, { order: 'any', signal });
  const last = new Map<number, LastBatch>();
  try {
    await pool.open();
    for (let set = await pool.take(); set !== null; set = await pool.take()) {
      const { partition } = ranges[set.index]!;
      const found = lastBatch(set.bytes, partition);
      if (found !== null) last.set(partition, found);
    }
  } finally {
    pool.close();
  }
  return [...last.values()].sort((a, b) => a.partition - b.partition);
}

function lastBatch(bytes: Buffer, partition: number): LastBatch | null {
  const ids = new Set<number>();
  let timestampMs: number | null = null;
  try {
    const header = readBatchHeader(bytes);
    if ((header.attributes & BATCH_CONTROL) !== 0) return null;
    timestampMs = header.maxTimestamp;
    const records = decompressRecords(
      bytes.subarray(BATCH_LAYOUT.records, header.byteLength),
      header.attributes,
    );
    const cursor = new RecordCursor(records, 0, records.length);
    while (cursor.next()) {
      if (cursor.valueEnd >= 0) ids.add(schemaIdOf(records.subarray(cursor.valueStart, cursor.valueEnd)));
    }
  } catch (error) {
    if (!(error instanceof RecordBatchError) && !(error instanceof WireFormatError)) throw error;
  }
  return timestampMs === null ? null : { partition, timestampMs, schemaIds: [...ids] };
}
