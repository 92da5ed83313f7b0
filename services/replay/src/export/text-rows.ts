import { ByteWords } from '../parquet/byte-words.ts';
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
    bytes: DataView,
    start: number,
    end: number,
    target: DataView,
    offset: number,
  ) => number;
  /** How many bytes `writeText` makes of one at most. */
  readonly growth: number;
}

/** Small enough to stay in a processor's cache until it is written. */
const BUILDER_BYTES = 1 << 18;
const INITIAL_BYTES = 4096;
const QUOTE = 0x22;
const TRUE = fragmentOf(Buffer.from('true'));
const FALSE = fragmentOf(Buffer.from('false'));
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
  readonly heads = new HeadMemo();

  constructor(columns: readonly ExportColumn[], syntax: TextSyntax, times: TimeTextName) {
    this.columns = columns;
    this.syntax = syntax;
    this.extension = syntax.extension;
    this.header = syntax.header;
    this.kinds = Uint8Array.from(columns, (column) => kindOf(column, times));
  }

  builder(): RowBuilder {
    return new TextRowBuilder(this.columns, this.kinds, this.syntax, this.memory);
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

/** Whether a value of this kind stands in quotes that are no part of its text. */
function hasQuotes(kind: number, { quotesNumbers }: TextSyntax): boolean {
  return quotesNumbers && (kind === DECIMAL || kind === ISO);
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
  /** What stands before each column's value, with the quote of a number that has some. */
  private readonly before: readonly Fragment[];
  /** The same with a null behind it. */
  private readonly nulls: readonly Fragment[];
  private readonly rowEnd: Fragment;
  private readonly source = new ByteWords();
  private readonly scales: Int32Array;
  private target = new Uint8Array(INITIAL_BYTES);
  private words = new DataView(this.target.buffer);
  private used = 0;

  constructor(columns: readonly ExportColumn[], kinds: Uint8Array, syntax: TextSyntax, total: MemoryUse) {
    this.kinds = kinds;
    this.syntax = syntax;
    this.names = columns.map(({ name }) => name);
    this.scales = Int32Array.from(columns, ({ type }) => (type.kind === 'decimal' ? type.scale : 0));
    this.before = syntax.before.map((bytes, index) =>
      fragmentOf(hasQuotes(kinds[index]!, syntax) ? Buffer.concat([bytes, Buffer.of(QUOTE)]) : bytes),
    );
    this.nulls = syntax.before.map((bytes) => fragmentOf(Buffer.concat([bytes, syntax.none])));
    this.rowEnd = fragmentOf(syntax.rowEnd);
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
    const { kinds } = this;
    const { positions, constantTexts } = plan;
    this.reserve(
      this.fixedBytes + this.syntax.growth * (view.valueEnd - view.valueStart + plan.constants.length),
    );
    const target = this.words;
    const source = this.source.of(view.bytes);
    let to = this.writeHead(view, plan);
    for (let index = plan.leadingTexts; index < kinds.length; index++) {
      const at = positions[index]!;
      if (at >= 0) {
        to = this.writeValue(index, view.bytes, source, at, to);
      } else if (kinds[index]! >= PARTITION) {
        to = copyFragment(this.before[index]!, target, to);
        to = writeIntegerText(kinds[index] === PARTITION ? view.partition : view.offset, target, to);
      } else if (at === NULL_POSITION) {
        to = copyFragment(this.nulls[index]!, target, to);
      } else {
        const known = constantTexts[constantAt(at)];
        to =
          known === undefined
            ? this.writeConstant(index, plan, constantAt(at), to)
            : copyFragment(known, target, to);
      }
    }
    this.used = copyFragment(this.rowEnd, target, to);
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

  /** The row up to the end of its leading texts; returns the offset behind. */
  private writeHead(view: RecordView, plan: RowPlan): number {
    if (plan.head !== null) return copyFragment(plan.head, this.words, this.used);
    const source = this.source.of(view.bytes);
    let to = this.used;
    for (let index = 0; index < plan.leadingTexts; index++) {
      to = this.writeValue(index, view.bytes, source, plan.positions[index]!, to);
    }
    plan.keepHead(view, this.target, this.used, to);
    return to;
  }

  /** A column whose value is the same whenever it is this constant. */
  private writeConstant(
    index: number,
    { constants, constantTexts }: RowPlan,
    at: number,
    offset: number,
  ): number {
    const to = this.writeValue(index, constants, this.source.of(constants), at, offset);
    constantTexts[at] = fragmentOf(this.target.subarray(offset, to));
    return to;
  }

  /** A column whose value is at `at` of `bytes`, with what stands before it; returns the offset behind. */
  private writeValue(index: number, bytes: Uint8Array, source: DataView, at: number, offset: number): number {
    const { long, words: target } = this;
    let to = copyFragment(this.before[index]!, target, offset);
    switch (this.kinds[index]) {
      case STRING: {
        const start = behindLong(bytes, at);
        return this.syntax.writeText(source, start, start + readLong(bytes, at), target, to);
      }
      case DECIMAL: {
        const start = behindLong(bytes, at);
        to = writeDecimalText(source, start, start + readLong(bytes, at), this.scales[index]!, target, to);
        break;
      }
      case LONG:
        long.read(source, at);
        return writeLongText(long.low, long.high, target, to);
      case BOOLEAN:
        return copyFragment(bytes[at] === 1 ? TRUE : FALSE, target, to);
      default: {
        const micros = readLong(bytes, at);
        if (!Number.isSafeInteger(micros)) {
          throw new UnreadableRecordError(
            `${this.names[index]}: ${micros} µs is beyond the years 1684 to 2255 (--times micros takes it)`,
          );
        }
        to = this.time.write(micros, target, to);
      }
    }
    if (this.syntax.quotesNumbers) target.setUint8(to++, QUOTE);
    return to;
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
