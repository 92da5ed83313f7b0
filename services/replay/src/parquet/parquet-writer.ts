import { BooleanColumn } from './boolean-column.ts';
import type { Column, ColumnChunk } from './column.ts';
import { DecimalColumn } from './decimal-column.ts';
import {
  CONVERTED_TYPE,
  type ColumnSpec,
  type ColumnType,
  type Compression,
  DECIMAL_BYTES,
  MAGIC,
  PHYSICAL_TYPE,
  type PhysicalType,
  REPETITION,
} from './format.ts';
import { Int32Column } from './int32-column.ts';
import { Int64Column } from './int64-column.ts';
import { MemoryUse } from './memory-use.ts';
import { type Page, PageAssembly } from './page-assembly.ts';
import { StringColumn } from './string-column.ts';
import { CompactWriter } from './thrift-compact.ts';

const FORMAT_VERSION = 2;
/** The ordinal is optional, and 16 bits. */
const MAX_ORDINAL = 0x7fff;

/** A row group as it goes to the file, and what the footer says of it. */
export interface RowGroup {
  /** To be written at the offset that was given, one after the other. */
  readonly parts: readonly Buffer[];
  readonly byteLength: number;
  readonly rows: number;
  /** The footer's entry: a Thrift struct, kept until the file ends. */
  readonly entry: Buffer;
}

/** What writers of many files share. */
export interface ParquetOptions {
  /** Says who wrote the file, for its readers: `tickline version 0.1.0`. */
  readonly createdBy: string;
  /** Put together here; one for all files. */
  readonly assembly: PageAssembly;
  /** Counts what all writers hold. */
  readonly memory: MemoryUse;
}

/** Options for one file or many. */
export function parquetOptions(compression: Compression, createdBy: string): ParquetOptions {
  return { createdBy, assembly: new PageAssembly(compression), memory: new MemoryUse() };
}

/** What a Parquet file begins with. */
export function parquetHeader(): Buffer {
  return MAGIC;
}

/**
 * Collects rows of a flat schema for one row group. Each row is one `append` or `appendNull` on every column, then
 * `endRow`. It writes no file: `finish` gives the bytes.
 */
export class RowGroupBuilder {
  readonly columns: readonly Column[];
  /** What this row group holds. */
  readonly memory: MemoryUse;
  rows = 0;
  private readonly options: ParquetOptions;

  constructor(specs: readonly ColumnSpec[], options: ParquetOptions) {
    this.options = options;
    this.memory = new MemoryUse(options.memory);
    this.columns = specs.map((spec) => createColumn(spec, options.assembly, this.memory));
  }

  endRow(): void {
    this.rows++;
  }

  /**
   * The row group's bytes, for a file in which it begins at `fileOffset`. The builder is not used again; its memory
   * is let go.
   */
  finish(fileOffset: number, ordinal: number): RowGroup {
    const parts: Buffer[] = [];
    let offset = fileOffset;
    const put = ({ header, payload }: Page): number => {
      const start = offset;
      parts.push(header, payload);
      offset += header.length + payload.length;
      return start;
    };
    const placed = this.columns.map((column) => {
      const chunk = column.finish();
      const start = offset;
      const dictionaryOffset = chunk.dictionary === null ? null : put(chunk.dictionary);
      const dataOffset = offset;
      for (const page of chunk.pages) put(page);
      return { chunk, dictionaryOffset, dataOffset, compressed: offset - start };
    });
    const entry = CompactWriter.struct((writer) => {
      writer.structList(1, placed, ({ chunk, dictionaryOffset, dataOffset, compressed }) => {
        writer.i64(2, dictionaryOffset ?? dataOffset);
        writer.struct(3, () => {
          writer.i32(1, physicalType(chunk.spec.type));
          writer.i32List(2, chunk.encodings);
          writer.textList(3, [chunk.spec.name]);
          writer.i32(4, this.options.assembly.codec);
          writer.i64(5, chunk.rows);
          writer.i64(6, uncompressedBytes(chunk));
          writer.i64(7, compressed);
          writer.i64(9, dataOffset);
          if (dictionaryOffset !== null) writer.i64(11, dictionaryOffset);
          writer.struct(12, () => {
            writer.i64(3, chunk.nulls);
            if (chunk.bounds === null) return;
            writer.binary(5, chunk.bounds.max);
            writer.binary(6, chunk.bounds.min);
          });
        });
      });
      writer.i64(
        2,
        placed.reduce((sum, { chunk }) => sum + uncompressedBytes(chunk), 0),
      );
      writer.i64(3, this.rows);
      writer.i64(5, fileOffset);
      writer.i64(6, offset - fileOffset);
      if (ordinal <= MAX_ORDINAL) writer.i16(7, ordinal);
    });
    this.memory.release();
    return { parts, byteLength: offset - fileOffset, rows: this.rows, entry };
  }
}

/** What a Parquet file ends with. `entries`: of its row groups, in order. */
export function parquetFooter(
  specs: readonly ColumnSpec[],
  entries: readonly Uint8Array[],
  rows: number,
  createdBy: string,
  keyValues: ReadonlyMap<string, string> = new Map(),
): Buffer {
  const metadata = CompactWriter.struct((writer) => {
    writer.i32(1, FORMAT_VERSION);
    writer.structList<ColumnSpec | null>(2, [null, ...specs], (spec) => {
      if (spec !== null) return schemaElement(writer, spec);
      writer.text(4, 'schema');
      writer.i32(5, specs.length);
    });
    writer.i64(3, rows);
    writer.writtenStructList(4, entries);
    if (keyValues.size > 0) {
      writer.structList(5, [...keyValues], ([key, value]) => {
        writer.text(1, key);
        writer.text(2, value);
      });
    }
    writer.text(6, createdBy);
    // TypeDefinedOrder for each column: without it readers ignore the bounds.
    writer.structList(7, specs, () => writer.struct(1, () => undefined));
  });
  const end = Buffer.alloc(4);
  end.writeInt32LE(metadata.length);
  return Buffer.concat([metadata, end, MAGIC]);
}

function createColumn(spec: ColumnSpec, assembly: PageAssembly, memory: MemoryUse): Column {
  switch (spec.type.kind) {
    case 'decimal':
      return new DecimalColumn(spec, assembly, memory);
    case 'timestamp-micros':
    case 'int64':
      return new Int64Column(spec, assembly, memory);
    case 'int32':
      return new Int32Column(spec, assembly, memory);
    case 'boolean':
      return new BooleanColumn(spec, assembly, memory);
    case 'string':
      return new StringColumn(spec, assembly, memory);
  }
}

function physicalType(type: ColumnType): PhysicalType {
  switch (type.kind) {
    case 'decimal':
      return PHYSICAL_TYPE.fixedLenByteArray;
    case 'timestamp-micros':
    case 'int64':
      return PHYSICAL_TYPE.int64;
    case 'int32':
      return PHYSICAL_TYPE.int32;
    case 'boolean':
      return PHYSICAL_TYPE.boolean;
    case 'string':
      return PHYSICAL_TYPE.byteArray;
  }
}

/** Fields of SchemaElement: type 1, type_length 2, repetition 3, name 4, converted 6, scale 7, precision 8, logical 10. */
function schemaElement(writer: CompactWriter, { name, type, optional }: ColumnSpec): void {
  writer.i32(1, physicalType(type));
  if (type.kind === 'decimal') writer.i32(2, DECIMAL_BYTES);
  writer.i32(3, optional ? REPETITION.optional : REPETITION.required);
  writer.text(4, name);
  switch (type.kind) {
    case 'decimal':
      writer.i32(6, CONVERTED_TYPE.decimal);
      writer.i32(7, type.scale);
      writer.i32(8, type.precision);
      // LogicalType.DECIMAL: scale 1, precision 2.
      writer.struct(10, () =>
        writer.struct(5, () => {
          writer.i32(1, type.scale);
          writer.i32(2, type.precision);
        }),
      );
      break;
    case 'timestamp-micros':
      writer.i32(6, CONVERTED_TYPE.timestampMicros);
      // LogicalType.TIMESTAMP: isAdjustedToUTC 1, unit 2 (MICROS 2).
      writer.struct(10, () =>
        writer.struct(8, () => {
          writer.boolean(1, true);
          writer.struct(2, () => writer.struct(2, () => undefined));
        }),
      );
      break;
    case 'string':
      writer.i32(6, CONVERTED_TYPE.utf8);
      writer.struct(10, () => writer.struct(1, () => undefined));
      break;
    default:
      break;
  }
}

function uncompressedBytes({ dictionary, pages }: ColumnChunk): number {
  return pages.reduce((sum, page) => sum + page.uncompressedBytes, dictionary?.uncompressedBytes ?? 0);
}
