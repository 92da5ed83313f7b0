import { MemoryUse } from '../parquet/memory-use.ts';
import { behindLong, readLong } from '../reading/field-walk.ts';
import { type RecordView, UnreadableRecordError } from '../reading/records.ts';
import { AvroLong } from './avro-long.ts';
import { MAX_DECIMAL_TEXT, writeDecimalText } from './decimal-text.ts';
import type { ExportColumn } from './export-columns.ts';
import type { ExportFormat, FilePart, RowBuilder } from './export-format.ts';
import { copyFragment, FRAGMENT_SLACK, type Fragment, fragmentOf } from './fragment.ts';
import { HeadMemo } from './head-memo.ts';
import { writeIntegerText, writeLongText } from './integer-text.ts';
import { constantAt, NULL_POSITION, type RowPlan } from './row-plan.ts';
import { MAX_TIME_TEXT, TimeText } from './time-text.ts';

/** How times are written: microseconds since the epoch, or ISO 8601 in UTC (from 1684 to 2255: below 2^53 µs). */
export const TIME_TEXTS = ['micros', 'iso'] as const;
export type TimeTextName = (typeof TIME_TEXTS)[number];

/** What one of the text formats puts where. */
export interface TextSyntax {
  readonly extension: string;
  /** What the file begins with. */
  readonly header: Uint8Array;
  /** What stands before each column's value: a comma, and in JSON the name. */
  readonly before: readonly Uint8Array[];
  /** What stands for null. */
  readonly none: Uint8Array;
  readonly rowEnd: Uint8Array;
  /** Quotes around decimals and times in ISO form. */
  readonly quotesNumbers: boolean;
  readonly writeText: (
    bytes: Uint8Array,
    start: number,
    end: number,
    target: Uint8Array,
    offset: number,
  ) => number;
  /** How many bytes `writeText` makes of one at most. */
  readonly growth: number;
}

/** Small enough to stay in a processor's cache until it is written. */
const BUILDER_BYTES = 1 << 18;
const INITIAL_BYTES = 4096;
/** For one text alone a look-up would not pay. */
const MIN_HEAD_COLUMNS = 2;
const QUOTE = 0x22;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
/** Quotes, and the longest of decimal, time and boolean. */
const MAX_SCALAR_TEXT = 2 + Math.max(MAX_DECIMAL_TEXT, MAX_TIME_TEXT);

// How a value becomes text.
const STRING = 0;
const DECIMAL = 1;
const LONG = 2;
const BOOLEAN = 3;
const ISO = 4;
const PARTITION = 5;
const OFFSET = 6;

/** Files of one line for each row. */
export class TextRows implements ExportFormat {
  readonly extension: string;
  readonly header: Uint8Array;
  readonly memory = new MemoryUse();
  private readonly syntax: TextSyntax;
  private readonly columns: readonly ExportColumn[];
  private readonly kinds: Uint8Array;
  /** One for all files: thousands of them begin their rows alike. */
  private readonly heads = new HeadMemo();

  constructor(columns: readonly ExportColumn[], syntax: TextSyntax, times: TimeTextName) {
    this.columns = columns;
    this.syntax = syntax;
    this.extension = syntax.extension;
    this.header = syntax.header;
    this.kinds = Uint8Array.from(columns, (column) => kindOf(column, times));
  }

  builder(): RowBuilder {
    return new TextRowBuilder(this.columns, this.kinds, this.syntax, this.heads, this.memory);
  }

  footer(): Uint8Array {
    return new Uint8Array(0);
  }
}

function kindOf({ source, type }: ExportColumn, times: TimeTextName): number {
  if (source.kind !== 'field') return source.kind === 'partition' ? PARTITION : OFFSET;
  switch (type.kind) {
    case 'string':
      return STRING;
    case 'decimal':
      return DECIMAL;
    case 'boolean':
      return BOOLEAN;
    case 'timestamp-micros':
      return times === 'iso' ? ISO : LONG;
    default:
      return LONG;
  }
}

class TextRowBuilder implements RowBuilder {
  rows = 0;
  private readonly kinds: Uint8Array;
  private readonly syntax: TextSyntax;
  private readonly names: readonly string[];
  private readonly memory: MemoryUse;
  /** Bytes of a row beside its texts. */
  private readonly fixedBytes: number;
  private readonly long = new AvroLong();
  private readonly time = new TimeText();
  private readonly before: readonly Fragment[];
  private readonly headColumns: number;
  private readonly heads: HeadMemo;
  private readonly scales: Int32Array;
  private target = new Uint8Array(INITIAL_BYTES);
  private words = new DataView(this.target.buffer);
  private used = 0;

  constructor(
    columns: readonly ExportColumn[],
    kinds: Uint8Array,
    syntax: TextSyntax,
    heads: HeadMemo,
    total: MemoryUse,
  ) {
    this.kinds = kinds;
    this.syntax = syntax;
    this.names = columns.map(({ name }) => name);
    this.heads = heads;
    this.scales = Int32Array.from(columns, ({ type }) => (type.kind === 'decimal' ? type.scale : 0));
    this.before = syntax.before.map(fragmentOf);
    const firstOther = kinds.findIndex((kind) => kind !== STRING);
    this.headColumns = Math.max(firstOther, 0);
    this.memory = new MemoryUse(total);
    this.memory.add(this.target.length);
    this.fixedBytes =
      syntax.before.reduce((sum, { length }) => sum + length, 0) +
      kinds.length * MAX_SCALAR_TEXT +
      syntax.rowEnd.length +
      FRAGMENT_SLACK;
  }

  get isFull(): boolean {
    return this.used >= BUILDER_BYTES;
  }

  append(view: RecordView, plan: RowPlan): void {
    const { kinds, long, before, scales } = this;
    const { none, rowEnd, quotesNumbers, writeText, growth } = this.syntax;
    const { positions } = plan;
    this.reserve(this.fixedBytes + growth * (view.valueEnd - view.valueStart + plan.constants.length));
    const { target, words } = this;
    const headEnd = this.headEnd(view.bytes, positions);
    const head = headEnd < 0 ? null : this.heads.find(view.bytes, positions[0]!, headEnd);
    let to = head === null ? this.used : copyFragment(head, words, this.used);
    for (let index = head === null ? 0 : this.headColumns; index < kinds.length; index++) {
      if (headEnd >= 0 && head === null && index === this.headColumns) {
        this.heads.keep(view.bytes, positions[0]!, headEnd, target.subarray(this.used, to));
      }
      to = copyFragment(before[index]!, words, to);
      const kind = kinds[index]!;
      let at = positions[index]!;
      let bytes: Uint8Array = view.bytes;
      if (at < 0 && kind < PARTITION) {
        if (at === NULL_POSITION) {
          to = copy(none, target, to);
          continue;
        }
        at = constantAt(at);
        bytes = plan.constants;
      }
      switch (kind) {
        case STRING: {
          const start = behindLong(bytes, at);
          to = writeText(bytes, start, start + readLong(bytes, at), target, to);
          break;
        }
        case DECIMAL: {
          const start = behindLong(bytes, at);
          if (quotesNumbers) target[to++] = QUOTE;
          to = writeDecimalText(bytes, start, start + readLong(bytes, at), scales[index]!, target, to);
          if (quotesNumbers) target[to++] = QUOTE;
          break;
        }
        case LONG:
          long.read(bytes, at);
          to = writeLongText(long.low, long.high, target, to);
          break;
        case BOOLEAN:
          to = copy(bytes[at] === 1 ? TRUE : FALSE, target, to);
          break;
        case ISO: {
          const micros = readLong(bytes, at);
          if (!Number.isSafeInteger(micros)) {
            throw new UnreadableRecordError(
              `${this.names[index]}: ${micros} µs is beyond the years 1684 to 2255 (--times micros takes it)`,
            );
          }
          if (quotesNumbers) target[to++] = QUOTE;
          to = this.time.write(micros, target, to);
          if (quotesNumbers) target[to++] = QUOTE;
          break;
        }
        case PARTITION:
          to = writeIntegerText(view.partition, target, to);
          break;
        default:
          to = writeIntegerText(view.offset, target, to);
      }
    }
    this.used = copy(rowEnd, target, to);
    this.rows++;
  }

  take(): FilePart {
    const part = {
      parts: [this.target.subarray(0, this.used)],
      byteLength: this.used,
      rows: this.rows,
      entry: null,
    };
    this.used = 0;
    this.rows = 0;
    return part;
  }

  close(): void {
    this.memory.release();
  }

  /**
   * Where the texts end that a row begins with, if they follow each other in the record as they do in the row, as
   * nearly always; else -1.
   */
  private headEnd(bytes: Uint8Array, positions: Int32Array): number {
    if (this.headColumns < MIN_HEAD_COLUMNS) return -1;
    let end = positions[0]!;
    for (let column = 0; column < this.headColumns; column++) {
      if (end < 0 || positions[column] !== end) return -1;
      end = behindLong(bytes, end) + readLong(bytes, end);
    }
    return end;
  }

  private reserve(count: number): void {
    if (this.used + count <= this.target.length) return;
    const wider = new Uint8Array(Math.max(this.target.length * 2, this.used + count));
    wider.set(this.target.subarray(0, this.used));
    this.memory.add(wider.length - this.target.length);
    this.target = wider;
    this.words = new DataView(wider.buffer);
  }
}

/** For a few bytes a loop is faster than `set`. */
function copy(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  for (let at = 0; at < bytes.length; at++) target[offset + at] = bytes[at]!;
  return offset + bytes.length;
}
