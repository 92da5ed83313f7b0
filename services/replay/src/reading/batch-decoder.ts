import { crc32c } from '@node-rs/crc32';
import {
  BATCH_CONTROL,
  BATCH_HEADER_BYTES,
  BATCH_LAYOUT,
  BATCH_LENGTH_OVERHEAD,
  BATCH_LOG_APPEND_TIME,
  CONFLUENT_HEADER_BYTES,
  CONFLUENT_MAGIC,
  RecordBatchError,
  type RecordBatchHeader,
  RecordCursor,
  readBatchHeader,
} from '@tickline/schemas';
import { decompressRecords } from './decompress.ts';
import { readLong, SchemaError } from './field-walk.ts';
import { CompiledFilter, placesOf, type SchemaPlaces } from './record-filter.ts';
import {
  type ReadProgress,
  type RecordFilter,
  RecordView,
  type RecordVisitor,
  type SkippedRecords,
  type SkipReason,
  UnreadableRecordError,
} from './records.ts';
import type { WriterSchema } from './writer-schema.ts';

/** Where a partition's reading stands. */
export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record that is wanted. */
  position: number;
  /** Offset behind the last one that is wanted. */
  readonly end: number;
}

/** What a decoder works with. */
export interface BatchDecoderOptions {
  readonly visitor: RecordVisitor;
  readonly filter: RecordFilter | undefined;
  readonly progress: ReadProgress;
  /** A writer's schema by its id; null: there is none. Rejects with SchemaError for one that is none of a record. */
  readonly schemaOf: (id: number) => Promise<WriterSchema | null>;
  /** Whether keys of this topic are symbols. */
  readonly isKeyedBySymbol: (topic: string) => boolean;
  readonly skipped: (records: SkippedRecords) => void;
}

const DONE = -1;

/**
 * Opens record batches and hands each wanted record to the visitor. Records within a batch are visited without
 * waiting for anything, except for a schema that was not met before.
 *
 * Control batches (the marks of transactions) are passed over. Records of aborted transactions are visited:
 * Tickline writes none, and telling them apart would need read_committed.
 */
export class BatchDecoder {
  private readonly options: BatchDecoderOptions;
  private readonly filter: CompiledFilter;
  private readonly view = new RecordView();
  /** By schema id; a text: why its records can't be read. */
  private readonly places = new Map<number, SchemaPlaces | string>();
  /** Of the record before: nearly always the next one's too. */
  private lastId = -1;
  private lastPlaces: SchemaPlaces | string = '';

  // The batch that is open.
  private cursor = new RecordCursor(new Uint8Array(0), 0, 0);
  private baseOffset = 0;
  private baseTimestamp = 0;
  /** The broker's time for all records of the batch, or -1. */
  private appendTime = -1;
  /** The cursor stands on a record whose schema was not known. */
  private isPending = false;
  /** Records that were read off the batch. */
  private seen = 0;

  constructor(options: BatchDecoderOptions) {
    this.options = options;
    this.filter = new CompiledFilter(options.filter);
  }

  /**
   * Reads the whole batches in `bytes` and moves `at.position` on. `afterBatch` is called between batches with the
   * latest timestamp of the batch (milliseconds; -Infinity of a corrupted one), and awaited if it returns a promise.
   */
  async decode(
    bytes: Buffer,
    at: PartitionPosition,
    afterBatch: (maxTimestampMs: number) => Promise<void> | undefined,
  ): Promise<void> {
    for (let start = 0; start + BATCH_HEADER_BYTES <= bytes.length && at.position < at.end; ) {
      const length = bytes.readInt32BE(start + BATCH_LAYOUT.batchLength) + BATCH_LENGTH_OVERHEAD;
      // Brokers cut an answer off where it is full.
      if (length < BATCH_HEADER_BYTES || start + length > bytes.length) break;
      const next = behindBatch(bytes, start);
      if (next > at.position) {
        const isWhole = await this.batch(bytes.subarray(start, start + length), at);
        this.moveTo(at, Math.min(next, at.end));
        const pause = afterBatch(isWhole ? latestTimestamp(bytes, start) : Number.NEGATIVE_INFINITY);
        if (pause !== undefined) await pause;
      }
      start += length;
    }
  }

  private moveTo(at: PartitionPosition, position: number): void {
    if (position <= at.position) return;
    this.options.progress.offsetsDone += position - at.position;
    at.position = position;
  }

  /** False when the batch was corrupted. */
  private async batch(bytes: Buffer, at: PartitionPosition): Promise<boolean> {
    const { view } = this;
    view.topic = at.topic;
    view.partition = at.partition;
    let header: RecordBatchHeader | null = null;
    this.seen = 0;
    try {
      header = readBatchHeader(bytes);
      if ((header.attributes & BATCH_CONTROL) !== 0) return true;
      if (crc32c(bytes.subarray(BATCH_LAYOUT.attributes)) !== header.crc) {
        throw new RecordBatchError('the checksum of the batch is wrong');
      }
      const records = decompressRecords(bytes.subarray(BATCH_LAYOUT.records), header.attributes);
      this.baseOffset = Number(header.baseOffset);
      this.baseTimestamp = header.baseTimestamp;
      this.appendTime = (header.attributes & BATCH_LOG_APPEND_TIME) === 0 ? -1 : header.maxTimestamp;
      view.bytes = records;
      this.cursor = new RecordCursor(records, 0, records.length);
      this.isPending = false;
      for (;;) {
        const id = this.visitRecords(at, this.options.isKeyedBySymbol(at.topic));
        if (id === DONE) break;
        this.places.set(id, await this.placesIn(id));
      }
      return true;
    } catch (error) {
      if (!(error instanceof RecordBatchError)) throw error;
      const first = Math.max(at.position, Number(bytes.readBigInt64BE(BATCH_LAYOUT.baseOffset)) + this.seen);
      const count = Math.max(1, (header?.recordCount ?? 1) - this.seen);
      this.skip('corrupted batch', at, first, count, error.message);
      return false;
    }
  }

  private async placesIn(id: number): Promise<SchemaPlaces | string> {
    try {
      const schema = await this.options.schemaOf(id);
      return schema === null ? `schema ${id} is not in the registry` : placesOf(schema);
    } catch (error) {
      if (error instanceof SchemaError) return `schema ${id} is none of a record: ${error.message}`;
      throw error;
    }
  }

  /** Visits records up to the batch's end (DONE), or to one whose schema is not known: then its id. */
  private visitRecords(at: PartitionPosition, isKeyedBySymbol: boolean): number {
    const { cursor, view, filter } = this;
    const { progress, visitor } = this.options;
    const { bytes } = view;
    const judgesKeys = isKeyedBySymbol && filter.hasSymbols;
    while (this.isPending || cursor.next()) {
      if (!this.isPending) this.seen++;
      this.isPending = false;
      const offset = this.baseOffset + cursor.offsetDelta;
      if (offset < at.position) continue;
      if (offset >= at.end) return DONE;
      const keyIsJudged = judgesKeys && cursor.keyEnd >= 0;
      const { valueStart, valueEnd } = cursor;
      // A value that is null is a mark of deletion (compacted topics): there is nothing to visit.
      if ((keyIsJudged && !filter.takesSymbol(bytes, cursor.keyStart, cursor.keyEnd)) || valueEnd < 0) {
        progress.filtered++;
        continue;
      }
      if (valueEnd - valueStart < CONFLUENT_HEADER_BYTES || bytes[valueStart] !== CONFLUENT_MAGIC) {
        this.skip('corrupted record', at, offset, 1, 'the value is not Confluent-framed Avro');
        continue;
      }
      const id =
        ((bytes[valueStart + 1]! << 24) |
          (bytes[valueStart + 2]! << 16) |
          (bytes[valueStart + 3]! << 8) |
          bytes[valueStart + 4]!) >>>
        0;
      if (id !== this.lastId) {
        const known = this.places.get(id);
        if (known === undefined) {
          this.isPending = true;
          return id;
        }
        this.lastId = id;
        this.lastPlaces = known;
      }
      const places = this.lastPlaces;
      if (typeof places === 'string') {
        this.skip('unknown schema', at, offset, 1, places);
        continue;
      }
      const { schema } = places;
      if (!schema.walk.walk(bytes, valueStart + CONFLUENT_HEADER_BYTES, valueEnd, places.at)) {
        this.skip('corrupted record', at, offset, 1, `the value does not fit its schema ${id}`);
        continue;
      }
      const timestampMs = this.appendTime >= 0 ? this.appendTime : this.baseTimestamp + cursor.timestampDelta;
      const receiveTime = places.time < 0 ? timestampMs * 1000 : readLong(bytes, places.at[places.time]!);
      if (!filter.takes(bytes, places, receiveTime, keyIsJudged)) {
        progress.filtered++;
        continue;
      }
      view.offset = offset;
      view.timestampMs = timestampMs;
      view.receiveTime = receiveTime;
      view.keyStart = cursor.keyStart;
      view.keyEnd = cursor.keyEnd;
      view.valueStart = valueStart;
      view.valueEnd = valueEnd;
      view.schema = schema;
      view.at = places.at;
      try {
        visitor.record(view);
        progress.records++;
      } catch (error) {
        if (!(error instanceof UnreadableRecordError)) throw error;
        this.skip('corrupted record', at, offset, 1, error.message);
      }
    }
    return DONE;
  }

  private skip(
    reason: SkipReason,
    { topic, partition }: PartitionPosition,
    offset: number,
    count: number,
    detail: string,
  ): void {
    this.options.progress.skipped += count;
    this.options.skipped({ reason, topic, partition, offset, count, detail });
  }
}

/** Of the records of the batch that begins at `start`, milliseconds. */
function latestTimestamp(bytes: Buffer, start: number): number {
  return Number(bytes.readBigInt64BE(start + BATCH_LAYOUT.maxTimestamp));
}

/** Offset behind the batch that begins at `start`. */
function behindBatch(bytes: Buffer, start: number): number {
  return (
    Number(bytes.readBigInt64BE(start + BATCH_LAYOUT.baseOffset)) +
    bytes.readInt32BE(start + BATCH_LAYOUT.lastOffsetDelta) +
    1
  );
}

/** Offset behind the last whole batch in `bytes`; null when there is no whole one. */
export function behindBatches(bytes: Buffer): number | null {
  let behind: number | null = null;
  for (let start = 0; start + BATCH_HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readInt32BE(start + BATCH_LAYOUT.batchLength) + BATCH_LENGTH_OVERHEAD;
    if (length < BATCH_HEADER_BYTES || start + length > bytes.length) break;
    behind = behindBatch(bytes, start);
    start += length;
  }
  return behind;
}
