import type { BooleanColumn } from '../parquet/boolean-column.ts';
import { ByteWords } from '../parquet/byte-words.ts';
import type { DecimalColumn } from '../parquet/decimal-column.ts';
import { type Compression, DECIMAL_BYTES } from '../parquet/format.ts';
import type { Int32Column } from '../parquet/int32-column.ts';
import type { Int64Column } from '../parquet/int64-column.ts';
import type { MemoryUse } from '../parquet/memory-use.ts';
import {
  type ParquetOptions,
  parquetFooter,
  parquetHeader,
  parquetOptions,
  RowGroupBuilder,
} from '../parquet/parquet-writer.ts';
import type { StringColumn } from '../parquet/string-column.ts';
import { behindLong, readLong } from '../reading/field-walk.ts';
import type { RecordView } from '../reading/records.ts';
import { AvroLong } from './avro-long.ts';
import type { ExportColumn } from './export-columns.ts';
import type { ExportFormat, FilePart, RowBuilder } from './export-format.ts';
import { constantAt, NULL_POSITION, type RowPlan } from './row-plan.ts';

/** As many as pyarrow takes by default. */
const ROW_GROUP_ROWS = 1 << 20;
/** Compressed pages and what is not compressed yet. */
const ROW_GROUP_BYTES = 64 << 20;

// How a value gets into its column.
const STRING = 0;
const DECIMAL = 1;
const LONG = 2;
const INT = 3;
const BOOLEAN = 4;
const PARTITION = 5;
const OFFSET = 6;

const KINDS = {
  string: STRING,
  decimal: DECIMAL,
  int64: LONG,
  'timestamp-micros': LONG,
  int32: INT,
  boolean: BOOLEAN,
} as const;

/** Parquet files of flat columns. */
export class ParquetRows implements ExportFormat {
  readonly extension = '.parquet';
  readonly header = parquetHeader();
  readonly heads = null;
  private readonly columns: readonly ExportColumn[];
  private readonly options: ParquetOptions;
  private readonly kinds: Uint8Array;

  constructor(columns: readonly ExportColumn[], compression: Compression, createdBy: string) {
    this.columns = columns;
    this.options = parquetOptions(compression, createdBy);
    this.kinds = Uint8Array.from(columns, ({ source, type }) => {
      if (source.kind === 'field') return KINDS[type.kind];
      return source.kind === 'partition' ? PARTITION : OFFSET;
    });
  }

  get memory(): MemoryUse {
    return this.options.memory;
  }

  builder(): RowBuilder {
    return new ParquetRowBuilder(this.columns, this.kinds, this.options);
  }

  footer(entries: readonly Uint8Array[], rows: number): Uint8Array {
    return parquetFooter(this.columns, entries, rows, this.options.createdBy);
  }
}

class ParquetRowBuilder implements RowBuilder {
  private readonly columns: readonly ExportColumn[];
  private readonly kinds: Uint8Array;
  private readonly options: ParquetOptions;
  private readonly long = new AvroLong();
  private readonly words = new ByteWords();
  private group: RowGroupBuilder;

  constructor(columns: readonly ExportColumn[], kinds: Uint8Array, options: ParquetOptions) {
    this.columns = columns;
    this.kinds = kinds;
    this.options = options;
    this.group = new RowGroupBuilder(columns, options);
  }

  get rows(): number {
    return this.group.rows;
  }

  get isFull(): boolean {
    return this.group.rows >= ROW_GROUP_ROWS || this.group.memory.held >= ROW_GROUP_BYTES;
  }

  append(view: RecordView, plan: RowPlan): void {
    const { kinds, group, long } = this;
    const { columns } = group;
    const { positions } = plan;
    const words = this.words.of(view.bytes);
    for (let index = 0; index < kinds.length; index++) {
      const column = columns[index]!;
      const kind = kinds[index]!;
      let at = positions[index]!;
      let bytes: Uint8Array = view.bytes;
      if (at < 0 && kind < PARTITION) {
        if (at === NULL_POSITION) {
          column.appendNull();
          continue;
        }
        at = constantAt(at);
        bytes = plan.constants;
      }
      switch (kind) {
        case STRING: {
          const start = behindLong(bytes, at);
          (column as StringColumn).append(bytes, start, start + readLong(bytes, at));
          break;
        }
        case DECIMAL: {
          const start = behindLong(bytes, at);
          const end = start + readLong(bytes, at);
          // What is longer repeats its sign in front: the plan has seen to that.
          (column as DecimalColumn).append(bytes, Math.max(start, end - DECIMAL_BYTES), end);
          break;
        }
        case LONG:
          long.read(bytes === view.bytes ? words : this.words.of(bytes), at);
          (column as Int64Column).append(long.low, long.high);
          break;
        case INT:
          (column as Int32Column).append(readLong(bytes, at));
          break;
        case BOOLEAN:
          (column as BooleanColumn).append(bytes[at] === 1);
          break;
        case PARTITION:
          (column as Int32Column).append(view.partition);
          break;
        default:
          (column as Int64Column).append(view.offset | 0, Math.floor(view.offset / 0x100000000));
      }
    }
    group.endRow();
  }

  take(fileOffset: number, ordinal: number): FilePart {
    const part = this.group.finish(fileOffset, ordinal);
    this.group = new RowGroupBuilder(this.columns, this.options);
    return part;
  }

  close(): void {
    this.group.memory.release();
  }
}
