import { SettingsError } from '../connection/settings-error.ts';
import { OffsetOutOfRangeError } from '../reading/fetch-pool.ts';
import { emptyProgress, readRange } from '../reading/read-range.ts';
import type { PartitionRange, ReadProgress, SkippedRecords } from '../reading/records.ts';
import type { TopicSource } from '../reading/topic-source.ts';
import { type Checkpoint, ExportJournal } from './export-journal.ts';
import { type ExportManifest, type ManifestFile, manifestText } from './export-manifest.ts';
import { type ExportPlan, formatOf } from './export-plan.ts';
import type { ExportTarget } from './export-target.ts';
import { ExportWriter } from './export-writer.ts';
import type { SkipReport } from './skip-count.ts';

/** How far an export is. */
export interface ExportProgress {
  /** Offsets that are done, of all in the plan's ranges; those of earlier runs count. */
  readonly offsetsDone: number;
  readonly offsetsTotal: number;
  /** Records in the export, those of earlier runs included. */
  readonly records: number;
  readonly skipped: number;
}

/** What is to be exported, and where it goes on. */
export interface ExportJob {
  readonly plan: ExportPlan;
  readonly target: ExportTarget;
  /** See {@link ExportManifest.tool}. */
  readonly tool: string;
  /** What the user asked for, in one text: an unfinished export goes on only for the same. */
  readonly request: string;
  /** Of the unfinished export that this one continues; null: it begins. */
  readonly resume: readonly Checkpoint[] | null;
  readonly signal: AbortSignal;
  /** Called after each batch. */
  progress(progress: ExportProgress): void;
  /** Told when all is read, and the files' ends and checksums are made. */
  finishing(): void;
  /** Told of each record that is skipped. */
  skipped(records: SkippedRecords): void;
}

/** What an export has made. */
export interface ExportResult {
  readonly records: number;
  readonly skipped: SkipReport;
  readonly files: readonly ManifestFile[];
  readonly manifestPath: string;
  /** Bytes that brokers sent in this run. */
  readonly bytesRead: number;
}

/** Reads what the plan says and writes it. The final name appears when everything is on the disk. */
export async function runExport(source: TopicSource, job: ExportJob): Promise<ExportResult> {
  const { plan, target, tool } = job;
  const format = formatOf(plan, tool);
  const left = rangesLeft(plan.ranges, job.resume?.at(-1));
  await checkOffsets(source, plan.topic, left);
  if (job.resume === null) target.clear();
  const journal =
    job.resume === null
      ? ExportJournal.create(target.journal, tool, job.request, plan)
      : ExportJournal.resume(target.journal);
  const writer = new ExportWriter(plan, format, journal, target, job.resume ?? []);
  const total = offsetsOf(plan.ranges);
  const doneBefore = total - offsetsOf(left);
  const report = (read: ReadProgress): void =>
    job.progress({
      offsetsDone: doneBefore + read.offsetsDone,
      offsetsTotal: total,
      records: writer.records,
      skipped: writer.skippedRecords,
    });
  report(emptyProgress(left));
  const read = await readRange(source, {
    ranges: left,
    visitor: writer,
    filter: plan.filter,
    order: 'ranges',
    betweenBatches: ({ progress }) => {
      report(progress);
      return undefined;
    },
    skipped: (records) => {
      writer.skipped(records);
      job.skipped(records);
    },
    signal: job.signal,
  });
  report(read);
  job.signal.throwIfAborted();
  if (isNothingFound(plan, writer.records)) {
    target.discard();
    throw nothingFound(plan);
  }
  job.finishing();
  const files = writer
    .finish()
    .map(({ name, bytes, rows, sha256 }) => ({ path: name, bytes, records: rows, sha256 }));
  const { skipReport: skipped, records } = writer;
  const manifest: Omit<ExportManifest, 'manifest'> = {
    tool,
    output: target.name,
    plan,
    records,
    skipped,
    schemas: writer.schemaCounts(),
    files,
  };
  const manifestPath = target.publish(manifestText(manifest));
  return { records, skipped, files, manifestPath, bytesRead: read.bytes };
}

/** A symbol that is not there is told, and no empty file made of it. */
function isNothingFound({ filter }: ExportPlan, records: number): boolean {
  return records === 0 && filter.symbols.length + filter.exchanges.length > 0;
}

function nothingFound({ filter, topic }: ExportPlan): SettingsError {
  const names = [...filter.symbols, ...filter.exchanges].join(', ');
  return new SettingsError(
    `${topic} has no record of ${names} in this range: check --symbol, --exchange and the times; nothing was written`,
  );
}

/** Retention may have been faster than an export that goes on or is made again. Throws OffsetOutOfRangeError. */
async function checkOffsets(
  source: TopicSource,
  topic: string,
  ranges: readonly PartitionRange[],
): Promise<void> {
  const bounds = new Map((await source.bounds(topic)).map((each) => [each.partition, each]));
  for (const { partition, start, end } of ranges) {
    const { low, high } = bounds.get(partition) ?? { low: 0, high: 0 };
    if (start < low) throw new OffsetOutOfRangeError(topic, partition, start, low, high);
    if (end > high) throw new OffsetOutOfRangeError(topic, partition, end - 1, low, high);
  }
}

/** What the last checkpoint leaves of the ranges. */
function rangesLeft(ranges: readonly PartitionRange[], last: Checkpoint | undefined): PartitionRange[] {
  if (last === undefined) return [...ranges];
  const { range, offset } = last.position;
  return ranges
    .slice(range)
    .map((each, index) => (index === 0 ? { ...each, start: offset } : each))
    .filter(({ start, end }) => start < end);
}

function offsetsOf(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0);
}
