import { isUtf8 } from 'node:buffer';
import { ByteWords } from '../parquet/byte-words.ts';
import { behindLong, readLong } from '../reading/field-walk.ts';
import { type RecordView, UnreadableRecordError } from '../reading/records.ts';
import type { WriterSchema } from '../reading/writer-schema.ts';
import { encodeDefault } from './avro-default.ts';
import { type AvroField, attributesOf, type ExportColumn, primitiveOf } from './export-columns.ts';

import type { Fragment } from './fragment.ts';
import type { HeadMemo } from './head-memo.ts';

/** The position of a null. */
export const NULL_POSITION = -1;
/** Positions from here down lie in a plan's constants: {@link RowPlan.constants}. */
const FIRST_CONSTANT = -2;

/** The offset in a plan's constants that a position below {@link NULL_POSITION} stands for, and back. */
export function constantAt(position: number): number {
  return FIRST_CONSTANT - position;
}

// How a column's value is found.
const CONSTANT = 0;
const FIELD = 1;
/** A union of null and the field's type, null first. */
const NULLABLE = 2;
const UNION = 3;
const ENUM = 4;

// What is looked at before a row is taken.
const NO_CHECK = 0;
const CHECK_TEXT = 1;
const CHECK_DECIMAL = 2;
const CHECK_INT = 3;

const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;
/** The first byte of the length of a decimal with sixteen bytes, or more than one byte of length. */
const LONG_DECIMAL = 16 * 2;
/** For one text alone a look-up would not pay. */
const MIN_HEAD_TEXTS = 2;
/** The highest bit of each of four bytes. */
const NOT_ASCII = 0x80808080 | 0;

/** A branch of a writer's union: its own way to find the value. */
interface Branch {
  readonly find: number;
  readonly check: number;
  /** Of find CONSTANT. */
  readonly position: number;
  /** Of find ENUM: the position of each symbol's text; null: the reader does not have it. */
  readonly symbols: readonly (number | null)[];
}

interface Source extends Branch {
  /** The writer's field, of the place in `RecordView.at`. */
  readonly field: number;
  /** Of find UNION; null: the reader's type can't hold it. */
  readonly branches: readonly (Branch | null)[];
}

/**
 * Where the values of the columns lie in a record of one writer's schema, by Avro's rules for schemas that differ
 * (Avro 1.12, "Schema Resolution"): found by name, the reader's default where the writer has none. It builds no
 * values: a position is where an Avro value without its union's branch begins, or NULL_POSITION, or a place in
 * `constants` (defaults and the texts of enums).
 *
 * A value that a column can't hold is refused before any column has taken a part of the row.
 */
export class RowPlan {
  readonly constants: Buffer;
  /** For each column of the last record that was located; the columns `partition` and `offset` have none. */
  readonly positions: Int32Array;
  /** What a text format has made of columns whose value is a constant, by its place: a plan serves one format. */
  readonly constantTexts: (Fragment | undefined)[] = [];
  /** How many columns come first that are texts and follow each other in the record as they do in the row. */
  readonly leadingTexts: number;
  /** What the last record's row begins with, for its leading texts; null: it is not known. */
  head: Fragment | null = null;
  /** Rows that were exported by this plan; counted by who writes them. */
  rows = 0;
  private readonly columns: readonly ExportColumn[];
  private readonly sources: readonly Source[];
  private readonly finds: Uint8Array;
  private readonly checks: Uint8Array;
  private readonly fields: Int32Array;
  private readonly bounds: readonly bigint[];
  /** Columns whose values begin where the field does, and need no look of their own. */
  private readonly plainColumns: Int32Array;
  private readonly plainFields: Int32Array;
  private readonly otherColumns: Int32Array;
  private readonly words = new ByteWords();
  private readonly textRuns: readonly TextRun[];
  private readonly heads: HeadMemo | null;
  private readonly leading: TextRun;
  /** What is left of the runs when the row's beginning is known. */
  private readonly runsBehindHead: readonly TextRun[];

  /**
   * `heads`: of the text format that writes the rows. Throws UnreadableRecordError when the writer's fields do not
   * resolve to the columns.
   */
  constructor(writer: WriterSchema, columns: readonly ExportColumn[], heads: HeadMemo | null = null) {
    const compiler = new Compiler(writer);
    this.columns = columns;
    this.sources = columns.map((column) => compiler.source(column));
    this.constants = Buffer.concat(compiler.constants);
    this.finds = Uint8Array.from(this.sources, ({ find }) => find);
    this.fields = Int32Array.from(this.sources, ({ field }) => field);
    this.positions = new Int32Array(columns.length).fill(NULL_POSITION);
    this.bounds = columns.map(({ type }) => (type.kind === 'decimal' ? 10n ** BigInt(type.precision) : 0n));
    this.textRuns = textRunsOf(this.sources);
    this.checks = Uint8Array.from(this.sources, ({ check }) => check);
    const isPlain = (source: Source): boolean =>
      source.find === FIELD &&
      (source.check === NO_CHECK || this.textRuns.some((run) => isInRun(source, run)));
    const firstField = this.sources[0]?.field ?? 0;
    const behind = this.sources.findIndex(
      ({ find, check, field }, column) =>
        find !== FIELD || check !== CHECK_TEXT || field !== firstField + column,
    );
    this.leadingTexts = behind < 0 ? this.sources.length : behind;
    this.leading = { first: firstField, behind: firstField + this.leadingTexts };
    this.heads = this.leadingTexts < MIN_HEAD_TEXTS ? null : heads;
    this.runsBehindHead = this.textRuns
      .map((run) => (run.first === firstField ? { ...run, first: this.leading.behind } : run))
      .filter(({ first, behind }) => first < behind);
    const plain: number[] = [];
    const others: number[] = [];
    for (const [column, source] of this.sources.entries()) {
      if (source.find === CONSTANT) this.positions[column] = source.position;
      else if (isPlain(source)) plain.push(column);
      else others.push(column);
    }
    this.plainColumns = Int32Array.from(plain);
    this.plainFields = Int32Array.from(plain, (column) => this.sources[column]!.field);
    this.otherColumns = Int32Array.from(others);
  }

  /** Fills `positions`. Throws UnreadableRecordError when a column can't hold its value. */
  locate(view: RecordView): void {
    const { plainColumns, plainFields, otherColumns, finds, checks, fields, positions } = this;
    const { bytes, at } = view;
    for (let index = 0; index < plainColumns.length; index++) {
      positions[plainColumns[index]!] = at[plainFields[index]!]!;
    }
    const words = this.words.of(bytes);
    this.head = this.heads?.find(words, at[this.leading.first]!, at[this.leading.behind]!) ?? null;
    const runs = this.head === null ? this.textRuns : this.runsBehindHead;
    if (!areRunsAscii(runs, words, at)) this.checkRunTexts(bytes);
    for (let index = 0; index < otherColumns.length; index++) {
      const column = otherColumns[index]!;
      const find = finds[column];
      let position = at[fields[column]!]!;
      let check = checks[column]!;
      if (find === NULLABLE) {
        position = bytes[position] === 0 ? NULL_POSITION : position + 1;
      } else if (find !== FIELD) {
        const branch = this.branchAt(column, bytes, position);
        position = this.inBranch(
          column,
          branch,
          bytes,
          find === UNION ? behindLong(bytes, position) : position,
        );
        check = branch.check;
      }
      positions[column] = position;
      if (position < 0 || check === NO_CHECK) continue;
      if (check === CHECK_DECIMAL) {
        // Almost every value has fewer bytes than the largest: only those that have as many are looked at.
        if (bytes[position]! >= LONG_DECIMAL) this.checkDecimal(column, bytes, position);
      } else if (check === CHECK_INT) {
        if (bytes[position]! > 0x7f) this.checkInt(column, bytes, position);
      } else {
        this.checkText(column, bytes, position);
      }
    }
  }

  private branchAt(column: number, bytes: Buffer, at: number): Branch {
    const source = this.sources[column]!;
    if (source.find !== UNION) return source;
    const branch = source.branches[readLong(bytes, at)];
    if (branch === null || branch === undefined)
      throw this.misfit(column, 'a union’s branch has a type that');
    return branch;
  }

  private checkRunTexts(bytes: Buffer): void {
    for (const [column, source] of this.sources.entries()) {
      if (this.textRuns.some((run) => isInRun(source, run)))
        this.checkText(column, bytes, this.positions[column]!);
    }
  }

  /** Remembers that the last record's row, whose head was not known, begins with `row[start, end)`. */
  keepHead({ bytes, at }: RecordView, row: Uint8Array, start: number, end: number): void {
    this.heads?.keep(bytes, at[this.leading.first]!, at[this.leading.behind]!, row.subarray(start, end));
  }

  private inBranch(column: number, branch: Branch, bytes: Buffer, at: number): number {
    if (branch.find === CONSTANT) return branch.position;
    if (branch.find !== ENUM) return at;
    const position = branch.symbols[readLong(bytes, at)];
    if (position === undefined || position === null) throw this.misfit(column, 'an enum has a symbol that');
    return position;
  }

  private checkText(column: number, bytes: Buffer, position: number): void {
    const start = behindLong(bytes, position);
    const end = start + readLong(bytes, position);
    const words = this.words.of(bytes);
    let any = 0;
    let at = start;
    for (; at + 4 <= end; at += 4) any |= words.getInt32(at, true);
    for (; at < end; at++) any |= bytes[at]!;
    if ((any & NOT_ASCII) !== 0 && !isUtf8(bytes.subarray(start, end)))
      throw this.misfit(column, 'a text that is not UTF-8:');
  }

  private checkDecimal(column: number, bytes: Buffer, position: number): void {
    const length = readLong(bytes, position);
    const start = behindLong(bytes, position);
    const unscaled = BigInt.asIntN(length * 8, BigInt(`0x${bytes.toString('hex', start, start + length)}`));
    const magnitude = unscaled < 0n ? -unscaled : unscaled;
    if (magnitude >= this.bounds[column]!) throw this.misfit(column, 'a decimal that');
  }

  private checkInt(column: number, bytes: Buffer, position: number): void {
    const value = readLong(bytes, position);
    if (value < INT_MIN || value > INT_MAX) throw this.misfit(column, 'a number that');
  }

  private misfit(column: number, what: string): UnreadableRecordError {
    const { name, type } = this.columns[column]!;
    return new UnreadableRecordError(`${name}: ${what} does not fit a column of type ${type.kind}`);
  }
}

/** Texts that follow each other in a record: the writer's fields from `first` up to, without, `behind`. */
interface TextRun {
  readonly first: number;
  readonly behind: number;
}

function isInRun({ find, check, field }: Source, { first, behind }: TextRun): boolean {
  return find === FIELD && check === CHECK_TEXT && field >= first && field < behind;
}

/** Lengths below 64 are ASCII too, so that a run is looked at as one. */
function areRunsAscii(runs: readonly TextRun[], words: DataView, at: Int32Array): boolean {
  let any = 0;
  for (const { first, behind } of runs) {
    const end = at[behind]!;
    let here = at[first]!;
    for (; here + 4 <= end; here += 4) any |= words.getInt32(here, true);
    for (; here < end; here++) any |= words.getUint8(here);
  }
  return (any & NOT_ASCII) === 0;
}

function textRunsOf(sources: readonly Source[]): TextRun[] {
  const fields = sources
    .filter(({ find, check }) => find === FIELD && check === CHECK_TEXT)
    .map(({ field }) => field)
    .sort((left, right) => left - right);
  const runs: TextRun[] = [];
  for (const field of fields) {
    const last = runs.at(-1);
    if (last?.behind === field) runs[runs.length - 1] = { first: last.first, behind: field + 1 };
    else runs.push({ first: field, behind: field + 1 });
  }
  return runs;
}

/** Finds each column's source in one writer's schema. */
class Compiler {
  readonly constants: Buffer[] = [];
  private readonly writer: WriterSchema;
  private constantBytes = 0;

  constructor(writer: WriterSchema) {
    this.writer = writer;
  }

  source(column: ExportColumn): Source {
    const { source } = column;
    const none = { field: -1, branches: [], symbols: [], check: NO_CHECK };
    if (source.kind !== 'field') return { ...none, find: CONSTANT, position: NULL_POSITION };
    const field = this.writer.indexOf(source.field);
    if (field < 0) return { ...none, find: CONSTANT, position: this.defaultOf(column) };
    const { type } = this.writer.fields[field] as AvroField;
    if (!Array.isArray(type)) {
      const branch = this.branch(column, type);
      if (branch === null) throw this.unresolvable(column, type);
      return { ...none, ...branch, field };
    }
    const branches = type.map((each: unknown) => this.branch(column, each));
    const [first, second] = branches;
    const isNullFirst = branches.length === 2 && primitiveOf(type[0]) === 'null' && column.optional;
    if (isNullFirst && first?.find === CONSTANT && second?.find === FIELD) {
      return { ...none, ...second, find: NULLABLE, field };
    }
    if (branches.every((branch) => branch === null)) throw this.unresolvable(column, type);
    return { ...none, find: UNION, position: NULL_POSITION, field, branches };
  }

  /** How a column takes a value of this type; null: it can't. */
  private branch(column: ExportColumn, type: unknown): Branch | null {
    const plain = { find: FIELD, position: NULL_POSITION, symbols: [] };
    const writer = primitiveOf(type);
    if (writer === 'null') return column.optional ? { ...plain, find: CONSTANT, check: NO_CHECK } : null;
    const { kind } = column.type;
    switch (kind) {
      case 'string':
        if (writer === 'enum') return this.enum(column, type);
        return writer === 'string' || writer === 'bytes' ? { ...plain, check: CHECK_TEXT } : null;
      case 'decimal': {
        const { logicalType, scale = 0 } = attributesOf(type);
        const fits = writer === 'bytes' && (logicalType !== 'decimal' || scale === column.type.scale);
        return fits ? { ...plain, check: CHECK_DECIMAL } : null;
      }
      case 'int32':
        return writer === 'int' ? { ...plain, check: CHECK_INT } : null;
      case 'int64':
      case 'timestamp-micros':
        return writer === 'int' || writer === 'long' ? { ...plain, check: NO_CHECK } : null;
      case 'boolean':
        return writer === 'boolean' ? { ...plain, check: NO_CHECK } : null;
    }
  }

  /** A symbol that the reader does not have becomes its default, if it has one. */
  private enum(column: ExportColumn, type: unknown): Branch {
    const reader = column.source.kind === 'field' ? attributesOf(column.source.type) : {};
    const known = reader.symbols ?? [];
    const symbols = (attributesOf(type).symbols ?? []).map((symbol) => {
      const text = known.includes(symbol) ? symbol : reader.default;
      return typeof text === 'string' ? this.constant(encodeDefault('string', text)) : null;
    });
    return { find: ENUM, check: NO_CHECK, position: NULL_POSITION, symbols };
  }

  private defaultOf(column: ExportColumn): number {
    const { source } = column;
    if (source.kind !== 'field' || source.defaultValue === undefined) {
      throw new UnreadableRecordError(
        `schema ${this.writer.id} has no field ${column.name}, and the newest schema no default for it`,
      );
    }
    if (source.defaultValue === null) return NULL_POSITION;
    return this.constant(encodeDefault(primitiveOf(source.type), source.defaultValue));
  }

  private constant(bytes: Buffer): number {
    const position = FIRST_CONSTANT - this.constantBytes;
    this.constants.push(bytes);
    this.constantBytes += bytes.length;
    return position;
  }

  private unresolvable(column: ExportColumn, type: unknown): UnreadableRecordError {
    return new UnreadableRecordError(
      `schema ${this.writer.id} has ${column.name} as ${JSON.stringify(type)}, which does not become ${column.type.kind}`,
    );
  }
}
