import { SettingsError } from '../connection/settings-error.ts';
import type { ColumnSpec, ColumnType } from '../parquet/format.ts';

/** Where a column's values come from. */
export type ColumnSource =
  /** A field of the record, by the reader's schema. */
  | {
      readonly kind: 'field';
      readonly field: string;
      /** The reader's type as in the schema's JSON, without null. */
      readonly type: unknown;
      /** The default as in the schema's JSON; undefined: there is none, every writer must have the field. */
      readonly defaultValue: unknown;
    }
  | { readonly kind: 'partition' }
  | { readonly kind: 'offset' };

/** A column of an export. */
export interface ExportColumn extends ColumnSpec {
  readonly source: ColumnSource;
}

/** Columns that say where a record lies in its topic, behind all others. */
const POSITION_COLUMNS: readonly ExportColumn[] = [
  { name: 'partition', type: { kind: 'int32' }, optional: false, source: { kind: 'partition' } },
  { name: 'offset', type: { kind: 'int64' }, optional: false, source: { kind: 'offset' } },
];

/** Which columns are wanted. */
export interface ColumnChoice {
  /** Names in the order of the output; empty: all fields of the schema. */
  readonly names: readonly string[];
  /** Adds `partition` and `offset`. */
  readonly positions: boolean;
}

/**
 * The columns of an export by the newest schema of a topic. Throws SettingsError for an unknown name, and for
 * a field that no flat column can hold unless others are named.
 */
export function exportColumns(readerSchema: string, choice: ColumnChoice): ExportColumn[] {
  const { fields } = JSON.parse(readerSchema) as { fields: AvroField[] };
  const byName = new Map(fields.map((field) => [field.name, field]));
  const names = choice.names.length > 0 ? choice.names : [...byName.keys()];
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined) throw new SettingsError(`--columns names "${repeated}" twice`);
  const columns = names.map((name) => {
    const field = byName.get(name);
    if (field === undefined) {
      throw new SettingsError(
        `--columns: there is no field "${name}"; there are ${[...byName.keys()].join(', ')}`,
      );
    }
    return columnOf(field);
  });
  if (!choice.positions) return columns;
  const taken = POSITION_COLUMNS.find(({ name }) => names.includes(name));
  if (taken !== undefined) {
    throw new SettingsError(
      `--positions: the records have a field "${taken.name}" of their own; leave it out with --columns`,
    );
  }
  return [...columns, ...POSITION_COLUMNS];
}

/** A field as in an Avro schema's JSON. */
export interface AvroField {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}

function columnOf(field: AvroField): ExportColumn {
  const { type, optional } = withoutNull(field.type);
  const columnType = columnTypeOf(type);
  if (columnType === null) {
    throw new SettingsError(
      `the field "${field.name}" has a type that no flat column can hold (${JSON.stringify(type)}): name the columns to export with --columns`,
    );
  }
  return {
    name: field.name,
    type: columnType,
    optional,
    source: { kind: 'field', field: field.name, type, defaultValue: field.default },
  };
}

/** A union of null and one other type as that type; any other type as it is. */
function withoutNull(type: unknown): { type: unknown; optional: boolean } {
  if (!Array.isArray(type)) return { type, optional: false };
  const others = type.filter((branch) => primitiveOf(branch) !== 'null');
  return others.length === 1
    ? { type: others[0], optional: others.length < type.length }
    : { type, optional: false };
}

/** The column for an Avro type; null when there is none. */
function columnTypeOf(type: unknown): ColumnType | null {
  const { logicalType, precision, scale } = attributesOf(type);
  switch (primitiveOf(type)) {
    case 'string':
    case 'enum':
      return { kind: 'string' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'int':
      return { kind: 'int32' };
    case 'long':
      return { kind: logicalType === 'timestamp-micros' ? 'timestamp-micros' : 'int64' };
    case 'bytes':
      return logicalType === 'decimal' && isPrecision(precision)
        ? { kind: 'decimal', precision, scale: scale ?? 0 }
        : null;
    default:
      return null;
  }
}

function isPrecision(precision: number | undefined): precision is number {
  return precision !== undefined && precision >= 1 && precision <= 38;
}

/** What a type's JSON says beside its name. */
export function attributesOf(type: unknown): {
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly symbols?: readonly string[];
  readonly default?: unknown;
} {
  return typeof type === 'object' && type !== null ? type : {};
}

/** `string`, `enum`, `record`, …: the name of a type without its attributes; an empty string for a union. */
export function primitiveOf(type: unknown): string {
  if (typeof type === 'string') return type;
  if (typeof type !== 'object' || type === null || Array.isArray(type) || !('type' in type)) return '';
  return primitiveOf(type.type);
}
