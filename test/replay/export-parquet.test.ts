import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatUnscaled, unscaledToBytes } from '@tickline/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import type { BooleanColumn } from '../../services/replay/src/parquet/boolean-column.ts';
import type { DecimalColumn } from '../../services/replay/src/parquet/decimal-column.ts';
import { type ColumnSpec, type Compression, PAGE_ROWS } from '../../services/replay/src/parquet/format.ts';
import type { Int32Column } from '../../services/replay/src/parquet/int32-column.ts';
import type { Int64Column } from '../../services/replay/src/parquet/int64-column.ts';
import {
  parquetFooter,
  parquetHeader,
  parquetOptions,
  RowGroupBuilder,
} from '../../services/replay/src/parquet/parquet-writer.ts';
import type { StringColumn } from '../../services/replay/src/parquet/string-column.ts';
import { type ReadBackJob, readParquetBack } from './support/parquet-read-back.ts';

type Value = string | bigint | boolean | null;
type Row = readonly Value[];

const LONGEST = 2n ** 63n;
/** DuckDB's range of timestamps with a zone is smaller than the 64 bits that Parquet has. */
const LATEST_MICROS = 9_000_000_000_000_000_000n;
let folder: string;

beforeAll(() => {
  const parent = join(repositoryRoot, '.tickline', 'export-tests');
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, 'parquet-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function append(builder: RowGroupBuilder, row: Row): void {
  for (const [index, value] of row.entries()) {
    const column = builder.columns[index]!;
    if (value === null) {
      column.appendNull();
      continue;
    }
    switch (column.spec.type.kind) {
      case 'decimal': {
        const bytes = unscaledToBytes(value as bigint);
        (column as DecimalColumn).append(bytes, 0, bytes.length);
        break;
      }
      case 'string': {
        // Bytes around the value must not be taken.
        const bytes = Buffer.from(`<${value as string}>`);
        (column as StringColumn).append(bytes, 1, bytes.length - 1);
        break;
      }
      case 'boolean':
        (column as BooleanColumn).append(value as boolean);
        break;
      case 'int32':
        (column as Int32Column).append(Number(value));
        break;
      default:
        (column as Int64Column).append(
          Number(BigInt.asIntN(32, value as bigint)),
          Number(BigInt.asIntN(32, (value as bigint) >> 32n)),
        );
    }
  }
  builder.endRow();
}

/** Writes rows to a file, a row group for each slice; returns what readers must find. */
function write(
  name: string,
  specs: readonly ColumnSpec[],
  groups: readonly (readonly Row[])[],
  compression: Compression,
): ReadBackJob {
  const options = parquetOptions(compression, 'tickline test');
  const parts: Uint8Array[] = [parquetHeader()];
  const entries: Uint8Array[] = [];
  let offset = parts[0]!.length;
  let count = 0;
  for (const rows of groups) {
    const builder = new RowGroupBuilder(specs, options);
    for (const row of rows) append(builder, row);
    const group = builder.finish(offset, entries.length);
    expect(group.parts.reduce((sum, part) => sum + part.length, 0)).toBe(group.byteLength);
    parts.push(...group.parts);
    entries.push(group.entry);
    offset += group.byteLength;
    count += rows.length;
  }
  // What is held is let go with its row group.
  expect(options.memory.held).toBe(0);
  parts.push(parquetFooter(specs, entries, count, 'tickline test'));
  const path = join(folder, `${name}.parquet`);
  writeFileSync(path, Buffer.concat(parts));
  const rowsPath = join(folder, `${name}.jsonl`);
  writeFileSync(rowsPath, groups.flatMap((rows) => rows.map((row) => textsOf(specs, row))).join(''));
  return {
    path,
    rows: rowsPath,
    columns: specs.map(({ name: column, type }) => [column, type.kind] as const),
  };
}

function textsOf(specs: readonly ColumnSpec[], row: Row): string {
  const texts = row.map((value, index) => {
    if (value === null || typeof value === 'string') return value;
    const { type } = specs[index]!;
    return type.kind === 'decimal' ? formatUnscaled(value as bigint) : String(value);
  });
  return `${JSON.stringify(texts)}\n`;
}

const KINDS = {
  decimal: {
    type: { kind: 'decimal', precision: 38, scale: 18 },
    value: fc.oneof(
      fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }),
      fc.bigInt({ min: -300n, max: 300n }),
    ),
  },
  time: {
    type: { kind: 'timestamp-micros' },
    value: fc.bigInt({ min: -LATEST_MICROS, max: LATEST_MICROS }),
  },
  int64: { type: { kind: 'int64' }, value: fc.bigInt({ min: -LONGEST, max: LONGEST - 1n }) },
  int32: { type: { kind: 'int32' }, value: fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n }) },
  boolean: { type: { kind: 'boolean' }, value: fc.boolean() },
  // A NUL ends a text for DuckDB's client.
  string: {
    type: { kind: 'string' },
    value: fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0')),
  },
} as const;

/** A schema and rows of it, in groups. */
const tables = fc
  .array(fc.tuple(fc.constantFrom(...Object.values(KINDS)), fc.boolean()), {
    minLength: 1,
    maxLength: 8,
    size: 'max',
  })
  .chain((columns) =>
    fc.record({
      specs: fc.constant(
        columns.map(([{ type }, optional], index): ColumnSpec => ({ name: `c${index} "é"`, type, optional })),
      ),
      groups: fc.array(
        fc.array(
          fc.tuple(
            ...columns.map(([{ value }, optional]) =>
              optional
                ? fc.option(value as fc.Arbitrary<Value>, { nil: null })
                : (value as fc.Arbitrary<Value>),
            ),
          ),
          { minLength: 1, maxLength: 200, size: 'max' },
        ),
        { maxLength: 3, size: 'max' },
      ),
      compression: fc.constantFrom<Compression>('zstd', 'none'),
    }),
  );

describe('our Parquet files', () => {
  it('read back equal with pyarrow and DuckDB, whatever the types, nulls and row groups', async () => {
    const seed = Date.now() % 1_000_000;
    const jobs = fc
      .sample(tables, { seed, numRuns: 80 })
      .map(({ specs, groups, compression }, index) => write(`random-${index}`, specs, groups, compression));
    const answers = await readParquetBack(jobs);
    expect(answers).toHaveLength(80);
    expect(
      answers.flatMap(({ differences }) => differences),
      `fast-check seed ${seed}`,
    ).toEqual([]);
    expect(answers.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(1000);
  });

  it('read back equal over many pages, with dictionaries that pay off, that do not, and that run full', async () => {
    const specs: ColumnSpec[] = [
      { name: 'few', type: { kind: 'string' }, optional: false },
      { name: 'unique', type: { kind: 'string' }, optional: false },
      { name: 'fewAtFirst', type: { kind: 'string' }, optional: true },
      { name: 'sometimes', type: KINDS.decimal.type, optional: true },
      { name: 'price', type: KINDS.decimal.type, optional: false },
      { name: 'runs', type: { kind: 'int32' }, optional: true },
      { name: 'one', type: { kind: 'string' }, optional: false },
    ];
    const row = (at: number): Row => [
      `s${at % 7}`,
      `id-${at * 7919}`,
      at % 13 === 0
        ? null
        : at < PAGE_ROWS
          ? `t${at % 3}`
          : `long text that is new each time ${'x'.repeat(60)} ${at}`,
      at % 2 === 0 ? null : BigInt((at * 104_729) % 100_003) * 10n ** 13n,
      BigInt(6_400_000 + (at % 977)) * 10n ** 16n,
      // Runs of nulls and values, longer and shorter than what is packed.
      Math.floor(at / 37) % 3 === 0 ? null : BigInt(Math.floor(at / 100)),
      'always the same',
    ];
    const rows = Array.from({ length: PAGE_ROWS * 3 + 17 }, (_, at) => row(at));
    const [answer] = await readParquetBack([write('pages', specs, [rows, rows.slice(0, 5)], 'zstd')]);
    expect(answer).toMatchObject({ rows: PAGE_ROWS * 3 + 22, differences: [] });
  });

  it('have the types that readers know, and an empty table is a file too', async () => {
    const specs = Object.entries(KINDS).map(
      ([name, { type }]): ColumnSpec => ({ name, type, optional: name === 'decimal' }),
    );
    const [answer] = await readParquetBack([write('empty', specs, [], 'zstd')]);
    expect(answer).toMatchObject({
      rows: 0,
      differences: [],
      types: {
        decimal: 'decimal128(38, 18)',
        time: 'timestamp[us, tz=UTC]',
        int64: 'int64',
        int32: 'int32',
        boolean: 'bool',
        string: 'string',
      },
    });
  });
});
