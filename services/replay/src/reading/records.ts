import type { WriterSchema } from './writer-schema.ts';

/**
 * Part of a partition: offsets from `start` up to, without, `end`. Offsets are numbers: exact below 2^53,
 * and a broker's answer above that is refused. `end` may be Infinity: then reading follows the topic.
 */
export interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

/**
 * One record while it is visited. There is one instance for a whole reading, filled again for each record:
 * whatever outlives the call is copied, the bytes too.
 *
 * The value is framed as Confluent's Avro, its schema is known, and its fields were walked to the end by the
 * time a visitor sees it: `at` can be used without further checks of bounds.
 */
export class RecordView {
  topic = '';
  partition = 0;
  offset = 0;
  /** Milliseconds: the record's own timestamp (receive time), or the broker's on a topic with LogAppendTime. */
  timestampMs = 0;
  /** Microseconds: the field `receiveTime` (of `status`: `time`); `timestampMs` × 1000 where a schema has neither. */
  receiveTime = 0;
  /** What holds the record: the uncompressed records of its batch, or a whole answer of the broker. */
  bytes: Buffer = EMPTY;
  keyStart = 0;
  /** -1: the key is null. */
  keyEnd = 0;
  /** The zero byte before the schema's id; the Avro body begins at `at[0]`. */
  valueStart = 0;
  valueEnd = 0;
  /** What the value was written with. One object for each id: compare it, or use it as a key. */
  schema!: WriterSchema;
  /**
   * Where the value of each field of `schema.fields` begins in `bytes`, in the writer's order, and behind them
   * where the last one ends (`valueEnd`).
   */
  at: Int32Array = new Int32Array(0);
}

const EMPTY = Buffer.alloc(0);

/** Takes records as they are read: of one partition in the order of its offsets. */
export interface RecordVisitor {
  /**
   * Called for each record that passes the filter. Throws UnreadableRecordError for one that it can't use: it is
   * then counted as skipped with its place, and reading goes on. Anything else that it throws ends the reading.
   */
  record(view: RecordView): void;
}

/** A record, or a batch of them, that can't be read; the message says why. */
export class UnreadableRecordError extends Error {
  override name = 'UnreadableRecordError';
}

/** Why records were skipped. */
export type SkipReason =
  /** The batch's checksum is wrong, it is cut off, or its compression can't be undone. */
  | 'corrupted batch'
  /** Not framed as Confluent's Avro, or the bytes do not fit the schema they name. */
  | 'corrupted record'
  /** The registry does not have the schema that the record names, or that one is none of a record. */
  | 'unknown schema';

/** Records that were skipped, with their place. */
export interface SkippedRecords {
  readonly reason: SkipReason;
  readonly topic: string;
  readonly partition: number;
  /** Of the record, or of the batch's first. */
  readonly offset: number;
  /** How many: 1, or as many as the batch says that it has. */
  readonly count: number;
  /** For people, in a few words: `schema 17 is not in the registry`. */
  readonly detail: string;
}

/** How far a reading is. The same object every time, filled again. */
export interface ReadProgress {
  /** Records that were handed to the visitor. */
  records: number;
  /** Records that the filter dropped. */
  filtered: number;
  /** Records that could not be read. */
  skipped: number;
  /** Bytes that brokers sent, as they are on the wire. */
  bytes: number;
  /** Offsets that are done, of `offsetsTotal` (Infinity when reading follows a topic). Gaps of compaction count. */
  offsetsDone: number;
  offsetsTotal: number;
}

/** Between two batches: everything of `topic` and `partition` below `nextOffset` has been visited. */
export interface BatchEnd {
  topic: string;
  partition: number;
  nextOffset: number;
  readonly progress: ReadProgress;
}

/** What is to be read, and by whom. */
export interface ReadOptions {
  readonly ranges: readonly PartitionRange[];
  readonly visitor: RecordVisitor;
  /** Which records are wanted; without it all are. */
  readonly filter?: RecordFilter | undefined;
  /**
   * `any`: batches of different partitions in the order in which brokers send them. `ranges`: one range after the
   * other, so that the order of visits is the same in every reading of the same offsets.
   */
  readonly order: 'any' | 'ranges';
  /**
   * Called after each batch; while the promise that it may return is pending nothing is visited, and at most one
   * answer for each broker is fetched ahead. The argument is filled again: copy what is kept.
   */
  betweenBatches?(end: BatchEnd): Promise<void> | undefined;
  /** Told of each record that is skipped. */
  skipped?(records: SkippedRecords): void;
  /** Ends the reading: `readRange` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Which records are wanted. Compiled once for each writer's schema; a record that it drops is not built. */
export interface RecordFilter {
  /** Canonical symbols or patterns (`BTC-*`); empty: all. Looked up by the key's bytes, before the value is read. */
  readonly symbols: readonly string[];
  /** Values of the field `exchange`; empty: all. */
  readonly exchanges: readonly string[];
  /** Microseconds since the epoch, by receive time: from `fromMicros` up to, without, `toMicros`; null: no bound. */
  readonly fromMicros: number | null;
  readonly toMicros: number | null;
  /** With `symbols`: told once of each symbol that is met, whether it is wanted or not. */
  readonly sawSymbol?: ((symbol: string, isWanted: boolean) => void) | undefined;
}
