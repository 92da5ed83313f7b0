/**
 * Finds where each field of an Avro record begins, by the writer's schema and without building anything
 * (Avro 1.12, "Binary Encoding"). It is what filters, exports and writers stand on: a value that it has walked
 * to its exact end has every field inside the value, unions and enums within their schema's range.
 */

/** Where a value ends, or -1: the bytes are not one, or end before it does. */
type Skip = (bytes: Uint8Array, at: number, limit: number) => number;

/** How the fields of a tick are skipped without a call; anything else has a function. */
const VARINT = 0;
const SIZED = 1;
const NULLABLE_VARINT = 2;
const NULLABLE_SIZED = 3;
const OTHER = 4;

/** Thrown for a schema that is not a record of Avro types. */
export class SchemaError extends Error {
  override name = 'SchemaError';
}

/** Walks values of one writer's schema. */
export class FieldWalk {
  private readonly kinds: Uint8Array;
  private readonly skips: readonly (Skip | null)[];
  readonly fieldCount: number;

  /** @param schema a record, as its JSON. Throws SchemaError. */
  constructor(schema: unknown) {
    const compiler = new Compiler();
    const fields = compiler.fieldsOf(schema);
    const plans = fields.map((type) => compiler.field(type));
    this.fieldCount = plans.length;
    this.kinds = Uint8Array.from(plans, ({ kind }) => kind);
    this.skips = plans.map(({ skip }) => skip);
  }

  /**
   * Fills `at` with where each field begins, and behind them where the last one ends. False unless the fields
   * end exactly at `end`.
   */
  walk(bytes: Uint8Array, start: number, end: number, at: Int32Array): boolean {
    const { kinds } = this;
    let here = start;
    for (let field = 0; field < kinds.length; field++) {
      at[field] = here;
      const kind = kinds[field]!;
      if (kind === SIZED) {
        const first = here < end ? bytes[here]! : 0x80;
        here = (first & 0x81) === 0 ? here + 1 + (first >> 1) : skipSized(bytes, here, end);
      } else if (kind === VARINT) {
        here = skipVarint(bytes, here, end);
      } else if (kind === OTHER) {
        here = this.skips[field]!(bytes, here, end);
      } else {
        // A union of null and one other type, null first: 0 or 2 in one byte.
        if (here >= end) return false;
        const branch = bytes[here++]!;
        if (branch === 2) {
          here = kind === NULLABLE_SIZED ? skipSized(bytes, here, end) : skipVarint(bytes, here, end);
        } else if (branch !== 0) return false;
      }
      if (here < 0 || here > end) return false;
    }
    at[kinds.length] = here;
    return here === end;
  }
}

/** An int or long: at most ten bytes, the last one below 0x80. */
function skipVarint(bytes: Uint8Array, at: number, limit: number): number {
  const most = Math.min(limit, at + 10);
  for (let here = at; here < most; here++) if (bytes[here]! < 0x80) return here + 1;
  return -1;
}

/** Bytes or a string behind their length. */
function skipSized(bytes: Uint8Array, at: number, limit: number): number {
  const behind = skipVarint(bytes, at, limit);
  if (behind < 0) return -1;
  const length = readLong(bytes, at);
  return length < 0 || length > limit - behind ? -1 : behind + length;
}

/** The Avro int or long at `at`, exact to 2^53; the caller has walked over it. */
export function readLong(bytes: Uint8Array, at: number): number {
  let here = at;
  let byte = bytes[here++]!;
  let low = byte & 0x7f;
  if (byte >= 0x80) {
    byte = bytes[here++]!;
    low |= (byte & 0x7f) << 7;
    if (byte >= 0x80) {
      byte = bytes[here++]!;
      low |= (byte & 0x7f) << 14;
      if (byte >= 0x80) {
        byte = bytes[here++]!;
        low |= (byte & 0x7f) << 21;
        if (byte >= 0x80) {
          // Above 28 bits: in two halves, as one does not fit 32-bit operations.
          let high = 0;
          let scale = 1;
          do {
            byte = bytes[here++]!;
            high += (byte & 0x7f) * scale;
            scale *= 128;
          } while (byte >= 0x80);
          const zigzag = high * 0x10000000 + low;
          return (low & 1) === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
        }
      }
    }
  }
  return (low & 1) === 0 ? low >>> 1 : -((low >>> 1) + 1);
}

/** The offset behind an int or long; the caller has walked over it. */
export function behindLong(bytes: Uint8Array, at: number): number {
  let here = at;
  while (bytes[here]! >= 0x80) here++;
  return here + 1;
}

interface FieldPlan {
  readonly kind: number;
  readonly skip: Skip | null;
}

type Json = Readonly<Record<string, unknown>>;

/** Turns types into skips; named types may be used before they end (a list of itself). */
class Compiler {
  private readonly named = new Map<string, { skip: Skip | null }>();

  fieldsOf(schema: unknown): unknown[] {
    if (!isObject(schema) || schema.type !== 'record' || !Array.isArray(schema.fields)) {
      throw new SchemaError('the schema is not a record');
    }
    return schema.fields.map((field: unknown) => {
      if (!isObject(field) || typeof field.name !== 'string') throw new SchemaError('a field has no name');
      return field.type;
    });
  }

  field(type: unknown): FieldPlan {
    if (Array.isArray(type) && type.length === 2 && primitiveOf(type[0]) === 'null') {
      const kind = simpleKind(type[1]);
      if (kind !== null) return { kind: kind === SIZED ? NULLABLE_SIZED : NULLABLE_VARINT, skip: null };
    }
    const kind = simpleKind(type);
    return kind === null ? { kind: OTHER, skip: this.skipOf(type, '') } : { kind, skip: null };
  }

  private skipOf(type: unknown, namespace: string): Skip {
    if (Array.isArray(type)) return this.union(type, namespace);
    if (typeof type === 'string') return this.byName(type, namespace);
    if (!isObject(type)) throw new SchemaError(`not an Avro type: ${JSON.stringify(type)}`);
    switch (type.type) {
      case 'record':
      case 'error':
        return this.record(type, namespace);
      case 'enum': {
        const count = Array.isArray(type.symbols) ? type.symbols.length : 0;
        return this.define(type, namespace, (bytes, at, limit) => {
          const behind = skipVarint(bytes, at, limit);
          if (behind < 0) return -1;
          const index = readLong(bytes, at);
          return index < 0 || index >= count ? -1 : behind;
        });
      }
      case 'fixed': {
        const size = Number(type.size);
        if (!Number.isSafeInteger(size) || size < 0) throw new SchemaError('a fixed has no size');
        return this.define(type, namespace, (_, at) => at + size);
      }
      case 'array':
        return blocks(this.skipOf(type.items, namespace));
      case 'map': {
        const value = this.skipOf(type.values, namespace);
        return blocks((bytes, at, limit) => {
          const behind = skipSized(bytes, at, limit);
          return behind < 0 ? -1 : value(bytes, behind, limit);
        });
      }
      default:
        return this.skipOf(type.type, namespace);
    }
  }

  private byName(name: string, namespace: string): Skip {
    switch (name) {
      case 'null':
        return (_, at) => at;
      case 'boolean':
        return (bytes, at, limit) => (at < limit && bytes[at]! <= 1 ? at + 1 : -1);
      case 'int':
      case 'long':
        return skipVarint;
      case 'float':
        return (_, at) => at + 4;
      case 'double':
        return (_, at) => at + 8;
      case 'bytes':
      case 'string':
        return skipSized;
      default: {
        const named = this.named.get(name) ?? this.named.get(`${namespace}.${name}`);
        if (named === undefined) throw new SchemaError(`unknown Avro type ${name}`);
        return (bytes, at, limit) => named.skip!(bytes, at, limit);
      }
    }
  }

  private union(branches: readonly unknown[], namespace: string): Skip {
    const skips = branches.map((branch) => this.skipOf(branch, namespace));
    return (bytes, at, limit) => {
      const behind = skipVarint(bytes, at, limit);
      if (behind < 0) return -1;
      return skips[readLong(bytes, at)]?.(bytes, behind, limit) ?? -1;
    };
  }

  private record(type: Json, namespace: string): Skip {
    const inner = typeof type.namespace === 'string' ? type.namespace : namespace;
    const entry: { skip: Skip | null } = { skip: null };
    this.enter(type, namespace, entry);
    const skips = this.fieldsOf({ ...type, type: 'record' }).map((field) => this.skipOf(field, inner));
    entry.skip = (bytes, at, limit) => {
      let here = at;
      for (const skip of skips) {
        here = skip(bytes, here, limit);
        if (here < 0 || here > limit) return -1;
      }
      return here;
    };
    return entry.skip;
  }

  private define(type: Json, namespace: string, skip: Skip): Skip {
    this.enter(type, namespace, { skip });
    return skip;
  }

  private enter(type: Json, namespace: string, entry: { skip: Skip | null }): void {
    if (typeof type.name !== 'string') throw new SchemaError('a named type has no name');
    const space = typeof type.namespace === 'string' ? type.namespace : namespace;
    this.named.set(type.name, entry);
    this.named.set(`${space}.${type.name}`, entry);
  }
}

/** An array's or map's blocks: a negative count has the block's size in bytes behind it. */
function blocks(item: Skip): Skip {
  return (bytes, at, limit) => {
    let here = at;
    for (;;) {
      let behind = skipVarint(bytes, here, limit);
      if (behind < 0) return -1;
      const count = readLong(bytes, here);
      if (count === 0) return behind;
      if (count < 0) {
        const size = behind;
        behind = skipVarint(bytes, size, limit);
        if (behind < 0) return -1;
        const length = readLong(bytes, size);
        if (length < 0 || length > limit - behind) return -1;
        here = behind + length;
        continue;
      }
      here = behind;
      for (let left = count; left > 0; left--) {
        const next = item(bytes, here, limit);
        // An item of no bytes (null) would let a count of 2^50 run for days.
        if (next < here || next > limit || (next === here && left > limit)) return -1;
        here = next;
      }
    }
  };
}

/** The primitive behind a type's text or object, without its logical type; null for anything else. */
function primitiveOf(type: unknown): string | null {
  if (typeof type === 'string') return type;
  return isObject(type) && typeof type.type === 'string' ? type.type : null;
}

function simpleKind(type: unknown): typeof VARINT | typeof SIZED | null {
  const primitive = primitiveOf(type);
  if (primitive === 'int' || primitive === 'long') return VARINT;
  return primitive === 'bytes' || primitive === 'string' ? SIZED : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
