import { join } from 'node:path';
import {
  type RecordView,
  type RecordVisitor,
  type SkippedRecords,
  UnreadableRecordError,
} from '../reading/records.ts';
import type { WriterSchema } from '../reading/writer-schema.ts';
import type { ExportColumn } from './export-columns.ts';
import type { ExportFormat } from './export-format.ts';
import type { Checkpoint, ExportJournal, ReadPosition } from './export-journal.ts';
import { columnsOf, type ExportPlan, pathColumnsOf } from './export-plan.ts';
import { PartFile } from './part-file.ts';
import { PartitionFolders } from './partition-keys.ts';
import { RowPlan } from './row-plan.ts';
import { SkipCount, type SkipReport } from './skip-count.ts';

/** When checkpoints are made. */
export interface CheckpointLimits {
  /** So much is written between two: what an interruption costs at most, beside what is held. */
  readonly writtenBytes: number;
  /** So much is held by all files together; then all of them are written. */
  readonly heldBytes: number;
}

const LIMITS: CheckpointLimits = { writtenBytes: 64 << 20, heldBytes: 128 << 20 };
/** Name of each file of a partitioned export, in its folder. */
const PART_NAME = 'part-0';

/** How records of one writer's schema become rows. */
interface SchemaPlans {
  readonly rows: RowPlan;
  /** Of the columns in the path; null: there are none. */
  readonly path: RowPlan | null;
}

/** Where an export's files are while it is under way. */
export interface ExportPaths {
  /** The one file, or the folder of a partitioned export. */
  readonly partial: string;
  /** The one file's name in the end; null: the export is a folder. */
  readonly fileName: string | null;
}

/**
 * Writes records into the files of an export. All that it decides depends on the records alone: when a part of a
 * file ends, when all are written and a checkpoint is made. So an export that was interrupted goes on to the same
 * bytes, and one that is made again has them too.
 */
export class ExportWriter implements RecordVisitor {
  /** Records in the files, or held for them. */
  records = 0;
  private readonly plan: ExportPlan;
  private readonly limits: CheckpointLimits;
  private readonly format: ExportFormat;
  private readonly journal: ExportJournal;
  private readonly paths: ExportPaths;
  private readonly columns: readonly ExportColumn[];
  private readonly pathColumns: readonly ExportColumn[];
  private readonly folders: PartitionFolders | null;
  private readonly files = new Map<string, PartFile>();
  private readonly schemaPlans = new Map<WriterSchema, SchemaPlans | UnreadableRecordError>();
  /** Records by schema before this run. */
  private readonly schemasBefore: Map<number, number>;
  private readonly skips: SkipCount;
  private lastSchema: WriterSchema | null = null;
  private lastPlans: SchemaPlans | null = null;
  private sinceCheckpoint = 0;

  /** `before`: the checkpoints of the run that this one continues. Throws SettingsError. */
  constructor(
    plan: ExportPlan,
    format: ExportFormat,
    journal: ExportJournal,
    paths: ExportPaths,
    before: readonly Checkpoint[],
    limits: CheckpointLimits = LIMITS,
  ) {
    this.limits = limits;
    this.plan = plan;
    this.format = format;
    this.journal = journal;
    this.paths = paths;
    this.columns = columnsOf(plan);
    this.pathColumns = pathColumnsOf(plan);
    this.folders = plan.partitionBy.length > 0 ? new PartitionFolders(plan.partitionBy) : null;
    const last = before.at(-1);
    this.records = last?.records ?? 0;
    this.skips = new SkipCount(last?.skipped ?? null);
    this.schemasBefore = new Map(
      Object.entries(last?.schemas ?? {}).map(([id, count]) => [Number(id), count]),
    );
    for (const { files } of before) for (const file of files) this.restore(file);
    for (const file of this.files.values()) file.restore();
    if (paths.fileName !== null) this.fileOf('');
  }

  record(view: RecordView): void {
    const { rows, path } = this.plansOf(view.schema);
    rows.locate(view);
    let folder = '';
    if (this.folders !== null) {
      path?.locate(view);
      folder = this.folders.of(view, path ?? rows);
    }
    const file = this.fileOf(folder);
    file.builder ??= this.format.builder();
    const { builder } = file;
    builder.append(view, rows);
    rows.rows++;
    this.records++;
    if (builder.isFull) {
      this.sinceCheckpoint += file.writeRows(this.format);
      if (this.sinceCheckpoint >= this.limits.writtenBytes) this.checkpointBehind(view);
    } else if (this.format.memory.held >= this.limits.heldBytes) {
      this.checkpointBehind(view);
    }
  }

  skipped(records: SkippedRecords): void {
    this.skips.add(records);
  }

  /** All ranges are read: writes what is left and the files' ends, and waits until all is on the disk. */
  finish(): readonly PartFile[] {
    this.checkpoint({ range: this.plan.ranges.length, offset: 0 });
    const files = [...this.files.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
    for (const file of files) file.end(this.format);
    return files;
  }

  /** Records that were skipped so far. */
  get skippedRecords(): number {
    return this.skips.records;
  }

  /** What was skipped so far. */
  get skipReport(): SkipReport {
    return this.skips.report();
  }

  /** Records by the id of their schema. */
  schemaCounts(): Record<string, number> {
    const counts = new Map(this.schemasBefore);
    for (const [{ id }, plans] of this.schemaPlans) {
      if (plans instanceof UnreadableRecordError || plans.rows.rows === 0) continue;
      counts.set(id, (counts.get(id) ?? 0) + plans.rows.rows);
    }
    return Object.fromEntries([...counts].sort(([left], [right]) => left - right));
  }

  private plansOf(schema: WriterSchema): SchemaPlans {
    if (schema === this.lastSchema && this.lastPlans !== null) return this.lastPlans;
    let plans = this.schemaPlans.get(schema);
    if (plans === undefined) {
      plans = this.compile(schema);
      this.schemaPlans.set(schema, plans);
    }
    if (plans instanceof UnreadableRecordError) throw plans;
    this.lastSchema = schema;
    this.lastPlans = plans;
    return plans;
  }

  private compile(schema: WriterSchema): SchemaPlans | UnreadableRecordError {
    try {
      const { pathColumns } = this;
      return {
        rows: new RowPlan(schema, this.columns, this.format.heads),
        path: pathColumns.length > 0 ? new RowPlan(schema, pathColumns) : null,
      };
    } catch (error) {
      if (error instanceof UnreadableRecordError) return error;
      throw error;
    }
  }

  private fileOf(folder: string): PartFile {
    let file = this.files.get(folder);
    if (file === undefined) {
      const { partial, fileName } = this.paths;
      file =
        fileName === null
          ? new PartFile(
              `${folder}/${PART_NAME}${this.format.extension}`,
              join(partial, folder, `${PART_NAME}${this.format.extension}`),
            )
          : new PartFile(fileName, partial);
      this.files.set(folder, file);
    }
    return file;
  }

  private restore({ name, bytes, rows, entries }: Checkpoint['files'][number]): void {
    const file = this.fileOf(this.paths.fileName === null ? name.slice(0, name.lastIndexOf('/')) : '');
    file.bytes = bytes;
    file.rows = rows;
    file.entries.push(...entries.map((entry) => Buffer.from(entry, 'base64')));
    file.journaledEntries = file.entries.length;
  }

  private checkpointBehind(view: RecordView): void {
    const { partition, offset } = view;
    const range = this.plan.ranges.findIndex(
      (each) => each.partition === partition && each.start <= offset && offset < each.end,
    );
    this.checkpoint({ range, offset: offset + 1 });
  }

  /** Everything in front of the position is written, waits until it is on the disk, and is noted in the journal. */
  private checkpoint(position: ReadPosition): void {
    const changed: PartFile[] = [];
    for (const file of this.files.values()) {
      file.writeRows(this.format);
      file.builder?.close();
      file.builder = null;
      if (file.isDirty) changed.push(file);
    }
    for (const file of changed) file.sync();
    this.journal.checkpoint({
      position,
      records: this.records,
      skipped: this.skipReport,
      schemas: this.schemaCounts(),
      files: changed.map((file) => {
        const entries = file.entries.slice(file.journaledEntries).map((entry) => entry.toString('base64'));
        file.journaledEntries = file.entries.length;
        return { name: file.name, bytes: file.bytes, rows: file.rows, entries };
      }),
    });
    this.sinceCheckpoint = 0;
  }
}
