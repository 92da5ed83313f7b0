import { appendFileSync as appendTo, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameValue, parseAvroSchema, schemaText } from '@tickline/schemas';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trades } from '../../../../schemas/src/testing/tick-records.ts';
import { RecordView, UnreadableRecordError } from '../reading/records.ts';
import { WriterSchema } from '../reading/writer-schema.ts';
import { csv } from './csv.ts';
import { exportColumns } from './export-columns.ts';
import { ExportJournal } from './export-journal.ts';
import { type ExportPlan, formatOf } from './export-plan.ts';
import { ExportWriter } from './export-writer.ts';
import { jsonLines } from './json-lines.ts';
import { RowPlan } from './row-plan.ts';
import { TextRows } from './text-rows.ts';

const ALL = { names: [], positions: false };
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 };
const record = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'R', fields });
const field = (name: string, type: unknown, ...rest: unknown[]) =>
  rest.length === 0 ? { name, type } : { name, type, default: rest[0] };

/** A record as the reading core hands it over. */
function viewOf(schema: WriterSchema, value: unknown, place = { partition: 0, offset: 0 }): RecordView {
  return viewOfBytes(schema, parseAvroSchema(schema.text).toBuffer(value), place);
}

function viewOfBytes(schema: WriterSchema, body: Buffer, place = { partition: 0, offset: 0 }): RecordView {
  const view = new RecordView();
  view.bytes = Buffer.concat([Buffer.from('before'), frameValue(schema.id, body), Buffer.from('behind')]);
  view.valueStart = 6;
  view.valueEnd = view.bytes.length - 6;
  view.schema = schema;
  view.partition = place.partition;
  view.offset = place.offset;
  view.at = new Int32Array(schema.fields.length + 1);
  expect(schema.walk.walk(view.bytes, view.valueStart + 5, view.valueEnd, view.at)).toBe(true);
  return view;
}

/** What the JSON lines of a reader's schema say of one record. */
function jsonOf(reader: string, view: RecordView): unknown {
  const columns = exportColumns(reader, ALL);
  const rows = new TextRows(columns, jsonLines(columns), 'micros').builder();
  const plan = new RowPlan(view.schema, columns);
  plan.locate(view);
  rows.append(view, plan);
  return JSON.parse(Buffer.from(rows.take(0, 0).parts[0]!).toString());
}

describe('rows', () => {
  it('say what avsc reads, of any trade', () => {
    const text = schemaText('trades');
    const schema = new WriterSchema(7, text);
    fc.assert(
      fc.property(trades, (trade) => {
        expect(jsonOf(text, viewOf(schema, trade))).toEqual(trade);
      }),
    );
  });

  it('that begin alike are told apart, also when there are more beginnings than are remembered', () => {
    const text = record(field('a', 'string'), field('b', 'string'), field('n', 'long'));
    const schema = new WriterSchema(1, text);
    const columns = exportColumns(text, ALL);
    const format = new TextRows(columns, jsonLines(columns), 'micros');
    const rows = format.builder();
    const plan = new RowPlan(schema, columns, format.heads);
    const wanted: object[] = [];
    for (let at = 0; at < 9_000; at++) {
      // The same bytes divided otherwise, texts with escapes, and more than two thousand of them.
      const name = `${at % 3_000}`;
      const row = { a: at % 2 === 0 ? `x"${name}` : 'x"', b: at % 2 === 0 ? 'é' : `${name}é`, n: at };
      wanted.push(row);
      const view = viewOf(schema, row);
      plan.locate(view);
      rows.append(view, plan);
    }
    const lines = Buffer.from(rows.take(0, 0).parts[0]!).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(wanted);
  });

  it('resolve fields by name: other orders, wider types, unions, enums, and defaults where the writer has none', () => {
    const reader = record(
      field('added', ['null', decimal], null),
      field('text', 'string', 'né"\n'),
      field('amount', decimal, '\u0001'),
      field('flag', 'boolean', true),
      field('wide', 'long'),
      field('side', { type: 'enum', name: 'E', symbols: ['x', 'buy', 'sell'], default: 'x' }),
      field('maybe', ['null', 'string'], null),
    );
    const writer = new WriterSchema(
      1,
      record(
        field('dropped', { type: 'array', items: 'string' }),
        field('maybe', ['string', 'null']),
        field('side', { type: 'enum', name: 'E', symbols: ['sell', 'strange', 'buy'] }),
        field('wide', 'int'),
      ),
    );
    const given = { dropped: ['a', 'b'], maybe: 'm', side: 'sell', wide: -5 };
    const defaults = { added: null, text: 'né"\n', amount: '0.000000000000000001', flag: true };
    expect(jsonOf(reader, viewOf(writer, given))).toEqual({
      ...defaults,
      wide: -5,
      side: 'sell',
      maybe: 'm',
    });
    expect(jsonOf(reader, viewOf(writer, { ...given, maybe: null, side: 'strange' }))).toEqual({
      ...defaults,
      wide: -5,
      side: 'x',
      maybe: null,
    });
  });

  it('keep numbers beyond 2^53 exact', () => {
    const reader = record(field('n', 'long'));
    const bytes = Buffer.from('feffffffffffffffff01', 'hex');
    const columns = exportColumns(reader, ALL);
    const rows = new TextRows(columns, jsonLines(columns), 'micros').builder();
    const view = viewOfBytes(new WriterSchema(1, reader), bytes);
    const plan = new RowPlan(view.schema, columns);
    plan.locate(view);
    rows.append(view, plan);
    expect(Buffer.from(rows.take(0, 0).parts[0]!).toString()).toBe('{"n":9223372036854775807}\n');
  });

  it('refuse what a column can’t hold, before anything of it is taken', () => {
    const cases: [type: unknown, body: string, told: RegExp][] = [
      ['string', '04c328', /f: a text that is not UTF-8/],
      // 10^38 in sixteen bytes, and one more than sixteen bytes hold.
      [decimal, '204b3b4ca85a86c47a098a224000000000', /f: a decimal that does not fit/],
      [decimal, `22${'01'.padEnd(34, '0')}`, /f: a decimal that does not fit/],
      ['int', '8080808010', /f: a number that does not fit/],
    ];
    for (const [type, body, told] of cases) {
      // A text before and one behind: a run of them is looked at as one.
      const text = record(field('before', 'string'), field('f', type), field('behind', 'string'));
      const view = viewOfBytes(new WriterSchema(1, text), Buffer.from(`0261${body}0261`, 'hex'));
      const columns = exportColumns(text, ALL);
      expect(() => new RowPlan(view.schema, columns).locate(view)).toThrow(told);
    }
  });

  it('of a schema that does not resolve are unreadable', () => {
    const columns = exportColumns(record(field('f', 'int')), ALL);
    const of =
      (...fields: object[]) =>
      () =>
        new RowPlan(new WriterSchema(3, record(...fields)), columns);
    expect(of(field('f', 'string'))).toThrow(UnreadableRecordError);
    expect(of(field('g', 'int'))).toThrow(/schema 3 has no field f, and the newest schema no default/);
    expect(of(field('f', 'int'))).not.toThrow();
  });

  it('refuse columns that are not flat, unless others are named', () => {
    const text = record(field('levels', { type: 'array', items: 'string' }), field('price', decimal));
    expect(() => exportColumns(text, ALL)).toThrow(
      /"levels" has a type that no flat column can hold.*--columns/,
    );
    expect(exportColumns(text, { names: ['price'], positions: true }).map(({ name }) => name)).toEqual([
      'price',
      'partition',
      'offset',
    ]);
  });
});

describe('CSV', () => {
  it('quotes where RFC 4180 wants it, and tells an empty text from null', () => {
    const text = record(field('a', ['null', 'string'], null), field('c', 'string'), field('n', decimal));
    const columns = exportColumns(text, ALL);
    const format = new TextRows(columns, csv(columns), 'micros');
    const rows = format.builder();
    for (const [a, c] of [
      [null, ''],
      ['x"y', 'line\nline'],
      ['', 'plain'],
    ]) {
      const view = viewOf(new WriterSchema(1, text), { a, c, n: '-1.50' });
      const plan = new RowPlan(view.schema, columns);
      plan.locate(view);
      rows.append(view, plan);
    }
    const written = Buffer.concat([format.header, rows.take(0, 0).parts[0]!]).toString();
    expect(written).toBe('a,c,n\r\n,"",-1.5\r\n"x""y","line\nline",-1.5\r\n"",plain,-1.5\r\n');
  });
});

describe('an export that is interrupted anywhere', () => {
  const schema = new WriterSchema(5, schemaText('trades'));
  const type = parseAvroSchema(schema.text);
  /** Such that checkpoints come after some hundred rows. */
  const limitsOf = (format: string) => ({
    writtenBytes: 3_000,
    heldBytes: format === 'parquet' ? 80_000 : 20_000,
  });
  const COUNT = 900;
  const views = Array.from({ length: COUNT }, (_, at) =>
    viewOfBytes(
      schema,
      type.toBuffer({
        exchange: 'okx',
        symbol: `S${at % 3}-USDT`,
        exchangeSymbol: 'X',
        producer: `p${at}`,
        session: 's',
        exchangeTime: at % 4 === 0 ? null : at,
        receiveTime: at,
        sequence: at,
        conflated: 0,
        price: `${at}.5`,
        quantity: '1',
        contracts: null,
        side: 'buy',
        tradeId: `t${at}`,
        fillCount: null,
      }),
      { partition: at < COUNT / 2 ? 0 : 4, offset: at * 2 },
    ),
  );
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tickline-export-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const planOf = (format: ExportPlan['format'], partitionBy: ExportPlan['partitionBy']): ExportPlan => ({
    topic: 't',
    ranges: [
      { topic: 't', partition: 0, start: 0, end: COUNT },
      { topic: 't', partition: 4, start: COUNT, end: COUNT * 2 },
    ],
    filter: { symbols: [], exchanges: [], fromMicros: null, toMicros: null },
    format,
    compression: 'zstd',
    times: 'micros',
    columns: [],
    positions: true,
    partitionBy,
    readerSchema: schema.text,
  });

  /** Runs an export that dies after so many records and goes on as often as it takes; returns its files. */
  function run(
    name: string,
    plan: ExportPlan,
    dieAfter: number,
  ): { files: Record<string, string>; runs: number } {
    const partial = join(folder, name);
    const journalPath = `${partial}.journal`;
    const paths = { partial, fileName: plan.partitionBy.length === 0 ? 'one' : null };
    ExportJournal.create(journalPath, 'tool', 'request', plan);
    for (let runs = 1; ; runs++) {
      const { checkpoints } = ExportJournal.read(journalPath)!;
      const writer = new ExportWriter(
        plan,
        formatOf(plan, 'tool'),
        ExportJournal.resume(journalPath),
        paths,
        checkpoints,
        limitsOf(plan.format),
      );
      const { range, offset } = checkpoints.at(-1)?.position ?? { range: 0, offset: 0 };
      const left = views.filter(({ partition, offset: own }) => {
        const at = partition === 0 ? 0 : 1;
        return at > range || (at === range && own >= offset);
      });
      for (const view of left.slice(0, dieAfter)) writer.record(view);
      if (left.length > dieAfter) continue;
      const files = writer
        .finish()
        .map((file) => [file.name, `${file.rows} ${file.sha256} ${readFileSync(file.path).length}`]);
      expect(writer.records).toBe(COUNT);
      expect(writer.schemaCounts()).toEqual({ 5: COUNT });
      return { files: Object.fromEntries(files) as Record<string, string>, runs };
    }
  }

  it.each([
    ['parquet', []],
    ['parquet', ['symbol', 'date']],
    ['jsonl', ['symbol']],
    ['csv', ['date', 'exchange']],
  ] as const)('has the same bytes in the end: %s by %j', (format, partitionBy) => {
    const plan = planOf(format, [...partitionBy]);
    const whole = run('whole', plan, COUNT);
    expect(whole.runs).toBe(1);
    const cut = run('cut', plan, 400);
    expect(cut.runs).toBeGreaterThan(1);
    expect(cut.files).toEqual(whole.files);
    expect(Object.keys(cut.files).length).toBe(partitionBy.includes('symbol' as never) ? 3 : 1);
  });

  it('ignores a torn last line of its journal, and names one that is none', () => {
    const path = join(folder, 'torn.journal');
    const plan = planOf('csv', []);
    const journal = ExportJournal.create(path, 'tool', 'request', plan);
    const checkpoint = {
      position: { range: 0, offset: 5 },
      records: 3,
      skipped: { records: 0, byReason: {}, places: [] },
      schemas: {},
      files: [],
    };
    journal.checkpoint(checkpoint);
    expect(ExportJournal.read(path)).toEqual({
      tool: 'tool',
      request: 'request',
      plan,
      checkpoints: [checkpoint],
    });
    rmSync(path);
    expect(ExportJournal.read(path)).toBeNull();
    for (const torn of ['{"posi', JSON.stringify(checkpoint)]) {
      ExportJournal.create(path, 'tool', 'request', plan).checkpoint(checkpoint);
      appendTo(path, torn);
      expect(ExportJournal.read(path)!.checkpoints).toEqual([checkpoint]);
      ExportJournal.resume(path).checkpoint(checkpoint);
      expect(ExportJournal.read(path)!.checkpoints).toEqual([checkpoint, checkpoint]);
      rmSync(path);
    }
    appendTo(path, 'something else\n');
    expect(() => ExportJournal.read(path)).toThrow(/not the journal of an export/);
  });
});
