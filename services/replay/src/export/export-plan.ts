import { SettingsError } from '../connection/settings-error.ts';
import type { Compression } from '../parquet/format.ts';
import type { PartitionRange, RecordFilter } from '../reading/records.ts';
import { csv } from './csv.ts';
import { type ExportColumn, exportColumns } from './export-columns.ts';
import type { ExportFormat, ExportFormatName } from './export-format.ts';
import { jsonLines } from './json-lines.ts';
import { ParquetRows } from './parquet-rows.ts';
import { PARTITION_KEYS, type PartitionKey } from './partition-keys.ts';
import { TextRows, type TimeTextName } from './text-rows.ts';

/**
 * All that decides what an export writes: the same plan over the same records gives the same bytes. It stands in the
 * manifest and in the journal as it is.
 */
export interface ExportPlan {
  readonly topic: string;
  /** Read one after the other. */
  readonly ranges: readonly PartitionRange[];
  readonly filter: RecordFilter;
  readonly format: ExportFormatName;
  /** Of Parquet's pages. */
  readonly compression: Compression;
  /** Of the text formats. */
  readonly times: TimeTextName;
  /** Fields in the order of the columns; empty: all of the reader's schema. */
  readonly columns: readonly string[];
  /** Whether `partition` and `offset` are columns too. */
  readonly positions: boolean;
  readonly partitionBy: readonly PartitionKey[];
  /** The schema's text that records are resolved to. */
  readonly readerSchema: string;
}

/**
 * The columns of a plan's files. What the path of a file says is not repeated in it, as readers of Hive's layout
 * expect. Throws SettingsError.
 */
export function columnsOf(plan: ExportPlan): ExportColumn[] {
  const columns = exportColumns(plan.readerSchema, { names: plan.columns, positions: plan.positions });
  const inPath = new Set<string>(plan.partitionBy);
  const left = columns.filter(({ name }) => !inPath.has(name));
  if (left.length === 0) throw new SettingsError('--columns leaves no column beside those of --partition-by');
  return left;
}

/** The columns whose values are in a file's path. Throws SettingsError. */
export function pathColumnsOf(plan: ExportPlan): ExportColumn[] {
  const names = plan.partitionBy.filter((key) => key !== PARTITION_KEYS.date);
  if (names.length === 0) return [];
  const columns = exportColumns(plan.readerSchema, { names, positions: false });
  const unfit = columns.find(({ type, optional }) => type.kind !== 'string' || optional);
  if (unfit !== undefined) {
    throw new SettingsError(`--partition-by: the field "${unfit.name}" is not a text that every record has`);
  }
  return columns;
}

/** Writers of a plan's files. `createdBy`: who writes them. */
export function formatOf(plan: ExportPlan, createdBy: string): ExportFormat {
  const columns = columnsOf(plan);
  switch (plan.format) {
    case 'parquet':
      return new ParquetRows(columns, plan.compression, createdBy);
    case 'csv':
      return new TextRows(columns, csv(columns), plan.times);
    case 'jsonl':
      return new TextRows(columns, jsonLines(columns), plan.times);
  }
}
