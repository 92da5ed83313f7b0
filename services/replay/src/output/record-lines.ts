import { type ExportColumn, exportColumns } from '../export/export-columns.ts';
import type { RowBuilder } from '../export/export-format.ts';
import { jsonLines } from '../export/json-lines.ts';
import { RowPlan } from '../export/row-plan.ts';
import { TextRows, type TextSyntax, type TimeTextName } from '../export/text-rows.ts';
import { type RecordView, UnreadableRecordError } from '../reading/records.ts';
import type { WriterSchema } from '../reading/writer-schema.ts';

/** Records of one topic as lines of text, by the newest schema whatever schema wrote them. */
export class RecordLines {
  private readonly columns: readonly ExportColumn[];
  private readonly rows: RowBuilder;
  private readonly plans = new Map<WriterSchema, RowPlan | UnreadableRecordError>();

  constructor(columns: readonly ExportColumn[], syntax: TextSyntax, times: TimeTextName) {
    this.columns = columns;
    this.rows = new TextRows(columns, syntax, times).builder();
  }

  get isEmpty(): boolean {
    return this.rows.rows === 0;
  }

  /** Whether it is time to write what it holds. */
  get isFull(): boolean {
    return this.rows.isFull;
  }

  /** Adds a record. Throws UnreadableRecordError. */
  append(view: RecordView): void {
    let plan = this.plans.get(view.schema);
    if (plan === undefined) {
      plan = this.planOf(view.schema);
      this.plans.set(view.schema, plan);
    }
    if (plan instanceof UnreadableRecordError) throw plan;
    plan.locate(view);
    this.rows.append(view, plan);
  }

  /** The lines so far; the bytes are valid until the next `append`. */
  take(): Uint8Array {
    return this.rows.take(0, 0).parts[0]!;
  }

  /** A schema that does not resolve makes each of its records unreadable. */
  private planOf(schema: WriterSchema): RowPlan | UnreadableRecordError {
    try {
      return new RowPlan(schema, this.columns);
    } catch (error) {
      if (error instanceof UnreadableRecordError) return error;
      throw error;
    }
  }
}

/**
 * A topic's records as JSON lines: all fields of the newest schema in its order, decimals as strings, times as
 * integer microseconds or ISO text. `channel`: put first, where lines of several topics are mixed.
 */
export function jsonRecordLines(
  readerSchema: string,
  times: TimeTextName,
  channel: string | null,
): RecordLines {
  const columns = exportColumns(readerSchema, { names: [], positions: false });
  const syntax = jsonLines(columns);
  if (channel === null) return new RecordLines(columns, syntax, times);
  const [first, ...rest] = syntax.before;
  const named = Buffer.from(
    `{"channel":${JSON.stringify(channel)},${Buffer.from(first!).toString().slice(1)}`,
  );
  return new RecordLines(columns, { ...syntax, before: [named, ...rest] }, times);
}
