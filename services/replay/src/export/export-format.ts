import type { MemoryUse } from '../parquet/memory-use.ts';
import type { RecordView } from '../reading/records.ts';
import type { HeadMemo } from './head-memo.ts';
import type { RowPlan } from './row-plan.ts';

/** Names of `--format`. */
export const EXPORT_FORMATS = ['parquet', 'csv', 'jsonl'] as const;
export type ExportFormatName = (typeof EXPORT_FORMATS)[number];

/** Rows as bytes that go to the end of a file. */
export interface FilePart {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
  readonly rows: number;
  /** What the file's end needs to know of it; null: nothing. */
  readonly entry: Buffer | null;
}

/** Collects rows of one file. */
export interface RowBuilder {
  /** Rows since the last `take`. */
  readonly rows: number;
  /** Whether it is time to write what it holds. */
  readonly isFull: boolean;
  /** Adds the record that the plan has located. Throws UnreadableRecordError, then without a trace of it. */
  append(view: RecordView, plan: RowPlan): void;
  /**
   * The rows so far, for a file that has `fileOffset` bytes and `ordinal` parts; the builder is then empty. The
   * bytes are valid until the next `append`.
   */
  take(fileOffset: number, ordinal: number): FilePart;
  /** Lets go of its memory; it is not used again. */
  close(): void;
}

/** How rows become a file. */
export interface ExportFormat {
  /** Of file names, with the point. */
  readonly extension: string;
  /** What all builders hold. */
  readonly memory: MemoryUse;
  /** What each file begins with. */
  readonly header: Uint8Array;
  /** For the plans of its rows: what rows begin with; null: it has no use for it. */
  readonly heads: HeadMemo | null;
  builder(): RowBuilder;
  /** What a file ends with. `entries`: of its parts, in order. */
  footer(entries: readonly Uint8Array[], rows: number): Uint8Array;
}
