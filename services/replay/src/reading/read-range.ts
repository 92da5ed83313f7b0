import { BatchDecoder } from './batch-decoder.ts';
import { FetchPool } from './fetch-pool.ts';
import type { BatchEnd, ReadOptions, ReadProgress } from './records.ts';
import type { TopicSource } from './topic-source.ts';

const NEVER = new AbortController().signal;

/**
 * Reads ranges of partitions and hands each record to the visitor as bytes. Resolves with the final counts when
 * all ranges are read, rejects with OffsetOutOfRangeError (retention was faster), ConnectionError or the signal's
 * reason.
 *
 * While one answer of a broker is decoded the next one is on its way. Memory does not depend on how much is read:
 * about 16 MiB that wait, and one answer of 4 MiB for each broker.
 */
export async function readRange(source: TopicSource, options: ReadOptions): Promise<ReadProgress> {
  const progress = emptyProgress(options.ranges);
  const pool = new FetchPool(source, options.ranges, {
    order: options.order,
    signal: options.signal ?? NEVER,
  });
  const decoder = new BatchDecoder({
    visitor: options.visitor,
    filter: options.filter,
    progress,
    schemaOf: (id) => source.schemaOf(id),
    isKeyedBySymbol: (topic) => source.isKeyedBySymbol(topic),
    skipped: (records) => options.skipped?.(records),
  });
  const end: BatchEnd = { topic: '', partition: 0, nextOffset: 0, progress };
  try {
    await pool.open();
    for (let set = await pool.take(); set !== null; set = await pool.take()) {
      const position = pool.positionOf(set.index);
      await decoder.decode(set.bytes, position, () => {
        options.signal?.throwIfAborted();
        if (options.betweenBatches === undefined) return undefined;
        end.topic = position.topic;
        end.partition = position.partition;
        end.nextOffset = position.position;
        progress.bytes = pool.bytes;
        return options.betweenBatches(end);
      });
    }
    progress.bytes = pool.bytes;
    return progress;
  } finally {
    pool.close();
  }
}

/** Nothing read yet of these ranges. */
export function emptyProgress(ranges: ReadOptions['ranges']): ReadProgress {
  return {
    records: 0,
    filtered: 0,
    skipped: 0,
    bytes: 0,
    offsetsDone: 0,
    offsetsTotal: ranges.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0),
  };
}
