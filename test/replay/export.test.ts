import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { frameValue, parseAvroSchema, schemaIdOf, schemaText, type Trade } from '@tickline/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trades as anyTrades } from '../../schemas/src/testing/tick-records.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { ExportManifest } from '../../services/replay/src/export/export-manifest.ts';
import { fillTradeTopic } from '../bench/trade-topic.ts';
import { eventually } from '../support/eventually.ts';
import { readTopic, type TopicMessage } from '../support/topic-records.ts';
import { readParquetBack } from './support/parquet-read-back.ts';
import { type Finished, TicklineProcess, tickline, ticklineMain } from './support/run-tickline.ts';
import { TopicWriter, type WantedRecord } from './support/topic-writer.ts';

/** Within retention; microseconds. */
const START = Math.floor(Date.now() / 1000 - 3600) * 1_000_000;
const RECORDS = 3_000;
const PARTITIONS = 3;
/** Trades that a pod wrote, for what needs many. */
const MANY = 1_000_000;

/** What an export resolves to: v1 with its fields turned round, one of them wider, and two more. */
const NEWER = JSON.stringify(
  (() => {
    const schema = JSON.parse(schemaText('trades')) as { fields: { name: string; type: unknown }[] };
    return {
      ...schema,
      fields: [
        {
          name: 'fee',
          type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 }],
          default: null,
        },
        ...schema.fields
          .toReversed()
          .map((field) => (field.name === 'conflated' ? { ...field, type: 'long' } : field)),
        { name: 'venue', type: 'string', default: 'main "é"' },
      ],
    };
  })(),
);
const KINDS: Readonly<Record<string, string>> = {
  exchangeTime: 'timestamp-micros',
  receiveTime: 'timestamp-micros',
};
const COLUMNS = (JSON.parse(NEWER) as { fields: { name: string }[] }).fields.map(({ name }) => name);

type NewerTrade = Trade & { fee: string | null; venue: string };

let stack: Stack;
let writer: TopicWriter;
let folder: string;
let messages: TopicMessage[];
/** The records as avsc reads them by the newer schema, in the order of partitions and offsets. */
let records: NewerTrade[];
const mounts: string[] = [];

beforeAll(async () => {
  const parent = join(repositoryRoot, '.tickline', 'export-tests');
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, 'export-'));
  stack = await startStack();
  writer = await TopicWriter.open(stack);
  await writer.createTopic('t.trades', PARTITIONS);
  const older = await writer.registerOurs('t.trades', 'trades');
  const newer = await writer.register('t.trades', NEWER);
  const newerType = parseAvroSchema(NEWER);
  const olderType = parseAvroSchema(schemaText('trades'));
  const isPlain = (text: string) => !text.includes('\0');
  const drawn = fc.sample(
    anyTrades.filter(({ exchange, symbol, producer }) => isPlain(exchange + symbol + producer)),
    RECORDS,
  );
  const wanted = drawn.map((trade, at): WantedRecord => {
    // The schema changes in the middle of every partition; symbols and exchanges repeat as they do in life.
    const receiveTime = START + at * 1_000_003;
    const symbol = at % 10 === 0 ? `${trade.symbol}/ü-${at % 3}` : `S${at % 20}-USDT`;
    const given = { ...trade, receiveTime, symbol, exchange: ['binance', 'okx'][at % 2]! };
    const isNewer = at >= RECORDS / 2;
    const value = isNewer
      ? newerType.toBuffer({
          ...given,
          fee: at % 5 === 0 ? null : trade.price,
          venue: at % 2 === 0 ? '' : 'a,"b"\r\n',
        })
      : olderType.toBuffer(given);
    return {
      partition: at % PARTITIONS,
      key: symbol,
      value: frameValue(isNewer ? newer : older, value),
      timestampMs: Math.floor(receiveTime / 1000),
    };
  });
  await writer.write('t.trades', wanted, { batchSize: 250 });
  messages = await readTopic(stack, 't.trades');
  const resolver = newerType.createResolver(olderType);
  records = messages.map(({ value }) => {
    const body = value.subarray(5);
    return schemaIdOf(value) === older ? newerType.fromBuffer(body, resolver) : newerType.fromBuffer(body);
  }) as NewerTrade[];
  expect(records).toHaveLength(RECORDS);
  expect(await fillTradeTopic(stack, MANY, () => undefined)).toBe(MANY);
});

afterAll(async () => {
  // Lazily: what still looks at it (an indexer of the machine) must not keep it mounted for ever.
  for (const mount of mounts) execFileSync('umount', ['--lazy', mount]);
  rmSync(folder, { recursive: true, force: true });
  await writer?.close();
  await stack?.stop();
});

function connection(prefix = 't.'): string[] {
  return [
    `--kafka.brokers=${stack.brokers.join(',')}`,
    `--registry.url=${stack.registryUrl}`,
    `--kafka.topicPrefix=${prefix}`,
  ];
}

/** A folder of a test's own. */
function place(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function exportTo(out: string, ...args: string[]): Promise<Finished> {
  return tickline(['export', 'trades', '--out', out, ...args, ...connection()]);
}

function manifestOf(path: string): ExportManifest {
  return JSON.parse(readFileSync(path, 'utf8')) as ExportManifest;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** What a reader must find of these records, a text or null for each column. */
function rowsFile(name: string, columns: readonly string[], which: readonly number[]): string {
  const path = join(folder, `${name}.rows`);
  const rows = which.map((at) => {
    const values: Record<string, unknown> = {
      ...records[at]!,
      partition: messages[at]!.partition,
      offset: messages[at]!.offset,
    };
    return columns.map((column) => (values[column] === null ? null : String(values[column])));
  });
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const everyRecord = Array.from({ length: RECORDS }, (_, at) => at);
const kindOf = (column: string) => [column, KINDS[column] ?? 'other'] as const;

/** RFC 4180 with what our dialect adds: an empty text is quoted, null is nothing. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: (string | null)[] = [];
    for (;;) {
      if (text[at] === '"') {
        let value = '';
        for (at++; ; at++) {
          if (text[at] !== '"') value += text[at];
          else if (text[at + 1] === '"') value += text[at++];
          else break;
        }
        at++;
        row.push(value);
      } else {
        const end = /[,\r]/g;
        end.lastIndex = at;
        const stop = end.exec(text)!.index;
        row.push(stop === at ? null : text.slice(at, stop));
        at = stop;
      }
      if (text[at] === '\r') break;
      at++;
    }
    expect(text.slice(at, at + 2)).toBe('\r\n');
    at += 2;
    rows.push(row);
  }
  return rows;
}

describe('an export equals the topic', () => {
  it('in Parquet, by pyarrow and DuckDB, over two schemas and all columns', async () => {
    const out = join(place('parquet'), 'trades.parquet');
    const { code, stdout, stderr } = await exportTo(out, '--positions', '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ output: out, records: RECORDS, files: 1, identical: null });
    const columns = [...COLUMNS, 'partition', 'offset'];
    const [answer] = await readParquetBack([
      { path: out, columns: columns.map(kindOf), rows: rowsFile('parquet', columns, everyRecord) },
    ]);
    expect(answer!.differences).toEqual([]);
    expect(answer!.types).toMatchObject({
      price: 'decimal128(38, 18)',
      fee: 'decimal128(38, 18)',
      receiveTime: 'timestamp[us, tz=UTC]',
      conflated: 'int64',
      side: 'string',
      fillCount: 'int32',
      offset: 'int64',
    });
    const manifest = manifestOf(join(folder, 'parquet/manifest.json'));
    expect(manifest.files).toEqual([
      { path: 'trades.parquet', bytes: readFileSync(out).length, records: RECORDS, sha256: sha256(out) },
    ]);
    expect(Object.values(manifest.schemas)).toEqual([RECORDS / 2, RECORDS / 2]);
    expect(manifest.plan.ranges).toEqual(
      Array.from({ length: PARTITIONS }, (_, partition) => ({
        topic: 't.trades',
        partition,
        start: 0,
        end: RECORDS / PARTITIONS,
      })),
    );
    expect(readdirSync(join(folder, 'parquet')).sort()).toEqual(['manifest.json', 'trades.parquet']);
  });

  it('in files by exchange, symbol and date, whose path says what is left out of them', async () => {
    const out = join(place('hive'), 'trades');
    const { code, stdout } = await exportTo(
      out,
      '--partition-by',
      'exchange,symbol,date',
      '--positions',
      '--json',
    );
    expect(code).toBe(0);
    const manifest = manifestOf(join(folder, 'hive/manifest.json'));
    expect(manifest.files.length).toBeGreaterThan(30);
    expect(JSON.parse(stdout)).toMatchObject({ records: RECORDS, files: manifest.files.length });
    const columns = ['partition', 'offset', 'exchange', 'symbol', 'price', 'receiveTime', 'side'];
    const [answer] = await readParquetBack([
      {
        path: out,
        columns: columns.map(kindOf),
        rows: rowsFile('hive', columns, everyRecord),
        hive: true,
        order: ['partition', 'offset'],
      },
    ]);
    expect(answer!.differences).toEqual([]);
    for (const { path, sha256: expected } of manifest.files) expect(sha256(join(out, path))).toBe(expected);
    const dates = new Set(manifest.files.map(({ path }) => /date=([0-9-]+)\//.exec(path)![1]!));
    expect(dates).toEqual(
      new Set(records.map(({ receiveTime }) => new Date(receiveTime / 1000).toISOString().slice(0, 10))),
    );
  });

  it('in JSON lines, in which decimals are texts and times microseconds', async () => {
    const out = join(place('jsonl'), 'trades.jsonl');
    expect((await exportTo(out)).code).toBe(0);
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      records.map((record) => ({ ...record })),
    );
    expect(Object.keys(JSON.parse(lines[0]!) as object)).toEqual(COLUMNS);
  });

  it('in CSV, with times as ISO 8601 where asked for', async () => {
    const out = join(place('csv'), 'trades.csv');
    expect((await exportTo(out, '--times', 'iso')).code).toBe(0);
    const [names, ...rows] = parseCsv(readFileSync(out, 'utf8'));
    expect(names).toEqual(COLUMNS);
    const iso = (micros: number | null) =>
      micros === null
        ? null
        : `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
    expect(rows).toEqual(
      records.map((record) =>
        COLUMNS.map((column) => {
          const value = record[column as keyof NewerTrade];
          if (KINDS[column] !== undefined) return iso(value as number | null);
          return value === null ? null : String(value);
        }),
      ),
    );
  });

  it('within times, symbols, exchanges, offsets and columns', async () => {
    const out = join(place('part'), 'part.jsonl');
    const [from, to] = [START + 700 * 1_000_003 + 1, START + 2300 * 1_000_003];
    const iso = (micros: number) =>
      `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
    const args = ['--from', iso(from), '--to', iso(to), '--symbol', 'S1*-USDT', '--exchange', 'okx'];
    expect((await exportTo(out, ...args, '--columns', 'tradeId,receiveTime')).code).toBe(0);
    const inside = records.filter(
      ({ receiveTime, symbol, exchange }) =>
        receiveTime >= from && receiveTime < to && /^S1\d?-USDT$/.test(symbol) && exchange === 'okx',
    );
    expect(inside.length).toBeGreaterThan(100);
    expect(readFileSync(out, 'utf8')).toBe(
      inside.map(({ tradeId, receiveTime }) => `${JSON.stringify({ tradeId, receiveTime })}\n`).join(''),
    );
    const offsets = join(place('offsets'), 'part.jsonl');
    expect(
      (await exportTo(offsets, '--offsets', '2:10-20,0:5,2:15-30', '--columns', 'side', '--positions')).code,
    ).toBe(0);
    const places = readFileSync(offsets, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { partition: number; offset: number });
    expect(places.map(({ partition, offset }) => `${partition}:${offset}`)).toEqual([
      '0:5',
      ...Array.from({ length: 21 }, (_, at) => `2:${at + 10}`),
    ]);
  });
});

describe('what can go wrong', () => {
  it('records that are corrupted or of an unknown schema are skipped, counted and placed: exit 4', async () => {
    await writer.createTopic('bad.trades', 1);
    const id = await writer.registerOurs('bad.trades', 'trades');
    const type = parseAvroSchema(schemaText('trades'));
    const good = (at: number) =>
      frameValue(id, type.toBuffer({ ...records[at]!, receiveTime: START + at, conflated: 0 }));
    const values = [
      good(0),
      good(1).subarray(0, 40),
      frameValue(999_999, good(2).subarray(5)),
      Buffer.from('not Avro at all'),
      good(4),
    ];
    await writer.write(
      'bad.trades',
      values.map((value) => ({ partition: 0, key: 'k', value, timestampMs: START / 1000 })),
    );
    const out = join(place('bad'), 'trades.jsonl');
    const { code, stderr, stdout } = await tickline([
      'export',
      'trades',
      '--out',
      out,
      '--json',
      ...connection('bad.'),
    ]);
    expect(code).toBe(4);
    expect(stderr).toContain('3 records were skipped');
    const { skipped } = manifestOf(join(folder, 'bad/manifest.json'));
    expect(JSON.parse(stdout)).toMatchObject({ records: 2, skipped });
    expect(skipped).toMatchObject({ records: 3, byReason: { 'corrupted record': 2, 'unknown schema': 1 } });
    expect(skipped.places.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect(readFileSync(out, 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  it('wrong arguments exit 2 with a sentence that says what to do, and write nothing', async () => {
    const own = place('usage');
    const out = join(own, 'trades.parquet');
    const cases: [args: string[], told: RegExp][] = [
      [['--columns', 'prise'], /no field "prise"; there are fee, fillCount/],
      [['--partition-by', 'colour'], /--partition-by colour: there are exchange, symbol, date/],
      [['--format', 'csv'], /--format csv and --out \*\.parquet do not fit/],
      [['--symbol', 'NOPE-USDT'], /t\.trades has no record of NOPE-USDT in this range/],
      [['--offsets', '7'], /no partition 7: it has 0 to 2/],
      [['--offsets', '0:999999'], /no offset 999999: it has offsets 0 to 999/],
      [['--from', 'yesterday'], /--from is no time/],
    ];
    for (const [args, told] of cases) {
      const { code, stderr } = await exportTo(out, ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(told)]);
    }
    const { code, stderr } = await tickline(['export', 'trades', '--out', out, ...connection('nowhere.')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/no topic nowhere\.trades/)]);
    expect(readdirSync(own)).toEqual([]);
    writeFileSync(out, 'mine');
    const refused = await exportTo(out);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/exists.*--overwrite/)]);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await exportTo(out, '--overwrite')).code).toBe(0);
    expect(readFileSync(out).subarray(0, 4).toString()).toBe('PAR1');
  });

  it('a broker that is not there exits 3', async () => {
    const out = join(place('broker'), 'trades.csv');
    const { code, stderr } = await tickline([
      'export',
      'trades',
      '--out',
      out,
      '--kafka.brokers=127.0.0.1:1',
      `--registry.url=${stack.registryUrl}`,
    ]);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/kafka\.brokers/)]);
    expect(existsSync(out)).toBe(false);
  });

  it('a full disk exits 5 without a file under the final name, and the same command goes on when there is room', async () => {
    const disk = place('disk');
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
      mounts.push(disk);
    }
    const out = join(disk, 'many.jsonl');
    const args = ['export', 'trades', '--offsets', '0', '--out', out, ...connection('md.')];
    // Without the right to mount, the largest file that may be written is as small.
    const { code, stderr } = isRoot ? await tickline(args) : await underFileLimit(args);
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(
        /many\.jsonl\.partial can't be written: (there is no space left|the file would be larger)/,
      ),
    ]);
    expect(existsSync(out)).toBe(false);
    expect(existsSync(join(disk, 'manifest.json'))).toBe(false);
    if (isRoot) execFileSync('mount', ['-o', 'remount,size=512m', disk]);
    const again = await tickline([...args, '--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ resumed: true });
    expect(new Set(readdirSync(disk))).toEqual(new Set(['many.jsonl', 'manifest.json']));
  });
});

/** Runs `tickline` with files limited to 1 MiB. */
async function underFileLimit(args: readonly string[]): Promise<Finished> {
  const script = 'trap "" XFSZ; ulimit -f 1024; exec "$@"';
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, ticklineMain, ...args]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout: '', stderr };
}

describe('an export of a million trades', () => {
  const whole = () => join(folder, 'many/trades.jsonl');

  it('keeps its memory within a bound that does not grow with the topic', async () => {
    const own = place('many');
    const part = await peakMemory(['--offsets', '0,1', '--out', join(own, 'part.parquet')]);
    const all = await peakMemory(['--out', join(own, 'trades.parquet')]);
    const jsonl = await peakMemory(['--out', whole()]);
    const byKeys = await peakMemory(['--out', join(own, 'by-symbol'), '--partition-by', 'symbol,date']);
    expect(part.records).toBeLessThan(MANY / 3);
    expect([all.records, jsonl.records, byKeys.records]).toEqual([MANY, MANY, MANY]);
    for (const { peakBytes } of [part, all, jsonl, byKeys]) expect(peakBytes).toBeLessThan(450 << 20);
    expect(all.peakBytes - part.peakBytes).toBeLessThan(128 << 20);
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'goes on after %s, and has the same bytes in the end',
    async (signal) => {
      const own = place(`after-${signal}`);
      const out = join(own, 'trades.jsonl');
      const args = ['export', 'trades', '--out', out, '--json', ...connection('md.')];
      const first = new TicklineProcess(args);
      const journal = `${out}.journal`;
      await eventually(
        'a checkpoint',
        () => existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > 2,
      );
      first.kill(signal);
      const { code, stderr } = await first.finished;
      expect(code).toBe(signal === 'SIGINT' ? 130 : null);
      if (signal === 'SIGINT') expect(stderr).toContain('the same command continues the export');
      // A killed process can't take its lock away; the next one does.
      const left = ['trades.jsonl.journal', 'trades.jsonl.partial'];
      expect(new Set(readdirSync(own))).toEqual(
        new Set(signal === 'SIGKILL' ? [...left, 'trades.jsonl.lock'] : left),
      );
      const others = await tickline([...args, '--columns', 'price']);
      expect([others.code, others.stderr]).toEqual([
        2,
        expect.stringMatching(/unfinished export with other arguments/),
      ]);
      const { code: done, stdout } = await tickline(args);
      expect(done).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ resumed: true, records: MANY });
      expect(readdirSync(own).sort()).toEqual(['manifest.json', 'trades.jsonl']);
      expect(sha256(out)).toBe(manifestOf(`${whole()}.manifest.json`).files[0]!.sha256);
    },
  );

  it('is made again by its manifest with the same checksums, and told when it is not', async () => {
    const manifest = join(folder, 'many/trades.parquet.manifest.json');
    const { plan, files } = manifestOf(manifest);
    expect(plan.format).toBe('parquet');
    const again = join(place('again'), 'again.parquet');
    const args = ['export', '--manifest', manifest, '--json', ...connection('md.')];
    const { code, stdout } = await tickline([...args, '--out', again]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ records: MANY, identical: true });
    expect(sha256(again)).toBe(files[0]!.sha256);
    // In its own place it replaces itself, but nothing else.
    expect((await tickline(args)).code).toBe(0);
    const file = join(folder, 'many/trades.parquet');
    writeFileSync(file, 'changed');
    const refused = await tickline(args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/not what the manifest says/)]);
    // A folder of files, made again in its own place.
    const folders = [
      'export',
      '--manifest',
      join(folder, 'many/by-symbol.manifest.json'),
      '--json',
      ...connection('md.'),
    ];
    const many = await tickline(folders);
    expect(many.code).toBe(0);
    expect(JSON.parse(many.stdout)).toMatchObject({ records: MANY, identical: true });
    // Another checksum: the export is there, and the difference is told.
    const forged = join(folder, 'again/forged.json');
    const before = manifestOf(manifest);
    writeFileSync(
      forged,
      JSON.stringify({ ...before, files: [{ ...before.files[0]!, sha256: '0'.repeat(64) }] }),
    );
    const other = await tickline([
      'export',
      '--manifest',
      forged,
      '--out',
      join(folder, 'again/other.parquet'),
      ...connection('md.'),
    ]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/differs from the manifest/)]);
    // What retention has taken can't be made again.
    await writer.removeBefore('md.trades', 0, 10);
    const gone = await tickline([...args, '--out', join(folder, 'again/gone.parquet')]);
    expect([gone.code, gone.stderr]).toEqual([
      2,
      expect.stringMatching(/partition 0 has no offset 0: it has offsets 10 to/),
    ]);
    expect(existsSync(join(folder, 'again/gone.parquet'))).toBe(false);
  });
});

/** Runs an export and watches its resident memory. */
async function peakMemory(args: readonly string[]): Promise<{ records: number; peakBytes: number }> {
  const child = spawn(process.execPath, [
    ticklineMain,
    'export',
    'trades',
    '--json',
    ...args,
    ...connection('md.'),
  ]);
  let stdout = '';
  let peakBytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const watch = setInterval(() => {
    try {
      const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peakBytes = Math.max(peakBytes, Number(kilobytes ?? 0) * 1024);
    } catch {
      // It has just ended: what was read before stands.
    }
  }, 10);
  const code = await new Promise((done) => child.once('close', done));
  clearInterval(watch);
  expect(code).toBe(0);
  expect(peakBytes).toBeGreaterThan(0);
  return { records: (JSON.parse(stdout) as { records: number }).records, peakBytes };
}
