/**
 * Numbers of Parquet's file format (apache/parquet-format, src/main/thrift/parquet.thrift), and the columns that
 * this writer knows.
 */

/** The first and the last four bytes of a file. */
export const MAGIC = Buffer.from('PAR1');

/** Physical types. */
export const PHYSICAL_TYPE = {
  boolean: 0,
  int32: 1,
  int64: 2,
  byteArray: 6,
  fixedLenByteArray: 7,
} as const;
export type PhysicalType = (typeof PHYSICAL_TYPE)[keyof typeof PHYSICAL_TYPE];

export const REPETITION = { required: 0, optional: 1 } as const;

/** Logical types as readers before format 2.4 know them. */
export const CONVERTED_TYPE = { utf8: 0, decimal: 5, timestampMicros: 10 } as const;

export const ENCODING = { plain: 0, rle: 3, rleDictionary: 8 } as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

export const CODEC = { none: 0, zstd: 6 } as const;
/** How pages are compressed. */
export type Compression = keyof typeof CODEC;

export const PAGE_TYPE = { data: 0, dictionary: 2 } as const;

/** Bytes of a decimal value: 38 digits need 127 bits. */
export const DECIMAL_BYTES = 16;

/** What a column holds. */
export type ColumnType =
  /** DECIMAL(precision, scale) on 16 bytes. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** Microseconds since the epoch, UTC. */
  | { readonly kind: 'timestamp-micros' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'boolean' }
  /** UTF-8. */
  | { readonly kind: 'string' };

/** A column of a flat schema. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether values may be null. */
  readonly optional: boolean;
}

/** Rows in a page at most; a page also ends at {@link PAGE_BYTES}. */
export const PAGE_ROWS = 20_000;
/** Uncompressed bytes at which a page ends, though it may exceed them by one value. */
export const PAGE_BYTES = 1 << 20;
