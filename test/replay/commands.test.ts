import { frameValue, type Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Check } from '../../services/replay/src/commands/doctor-checks.ts';
import type { TopicReport } from '../../services/replay/src/commands/topics.ts';
import { eventually } from '../support/eventually.ts';
import { provision } from '../support/pod.ts';
import { jsonLinesOf, TicklineProcess, tickline } from './support/run-tickline.ts';
import { quoteAt, recordOf, TopicWriter, tradeAt } from './support/topic-writer.ts';

let stack: Stack;
let writer: TopicWriter;
/** Ids of our schemas, as `provision` registered them. */
let ids: { trades: number; quotes: number };

beforeAll(async () => {
  stack = await startStack();
  await provision({ stack, simulators: [] });
  writer = await TopicWriter.open(stack);
  ids = {
    trades: await writer.registerOurs('md.trades', 'trades'),
    quotes: await writer.registerOurs('md.quotes', 'quotes'),
  };
});

afterAll(async () => {
  await writer?.close();
  await stack?.stop();
});

function flags(): string[] {
  return ['--kafka.brokers', stack.brokers.join(','), '--registry.url', stack.registryUrl];
}

function now(): number {
  return Date.now() * 1000;
}

describe('topics', () => {
  it('tells partitions, offsets, times, rate and schema versions', async () => {
    const first = now() - 40_000_000;
    const made = Array.from({ length: 60 }, (_, tick) =>
      recordOf('trades', ids.trades, tick % 3, tradeAt(first + tick * 1000)),
    );
    await writer.write('md.trades', made);
    const { code, stdout } = await tickline(['topics', '--json', '--rate-window', '10m', ...flags()]);
    expect(code).toBe(0);
    const { topics } = JSON.parse(stdout) as { topics: TopicReport[] };
    expect(topics.map(({ topic }) => topic)).toEqual(['md.trades', 'md.quotes', 'md.status', 'md.invalid']);
    const [trades, quotes, , invalid] = topics;
    expect(trades).toMatchObject({
      records: 60,
      firstTime: Math.floor(first / 1000) * 1000,
      lastTime: Math.floor((first + 59_000) / 1000) * 1000,
      recordsPerSecond: 0.1,
      schema: { registeredVersions: [1], seenVersions: [1] },
    });
    expect(trades!.partitions).toHaveLength(12);
    expect(trades!.partitions[1]).toMatchObject({ partition: 1, firstOffset: 0, endOffset: 20 });
    expect(trades!.partitions[5]).toMatchObject({
      endOffset: 0,
      firstTime: null,
      lastTime: null,
      recordsPerSecond: 0,
    });
    expect(quotes).toMatchObject({
      records: 0,
      firstTime: null,
      schema: { registeredVersions: [1], seenVersions: [] },
    });
    expect(invalid).toMatchObject({ schema: null });

    const table = (await tickline(['topics', '--time', 'local', ...flags()])).stdout.split('\n');
    expect(table[0]).toMatch(/^topic +partitions +records +first +last +records\/s +schema versions$/);
    expect(table[1]).toMatch(/^md\.trades +12 +60 +\S+\+05:30 +\S+\+05:30 +\d+\.\d +registered 1; seen 1$/);
    const partitions = (await tickline(['topics', '--partitions', '--time', 'relative', ...flags()])).stdout;
    expect(partitions.split('\n')[3]).toMatch(/^md\.trades +2 +0 +20 +\S+ ago +\S+ ago +\d+\.\d$/);
  });

  it('says that there are none of another prefix', async () => {
    const { code, stdout, stderr } = await tickline(['topics', '--kafka.topicPrefix', 'no.', ...flags()]);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('no topics of Tickline with the prefix "no." (kafka.topicPrefix)');
  });
});

describe('tail', () => {
  it('shows what comes, of the symbols and exchanges that are asked for, and ends with 0 by Ctrl-C', async () => {
    const running = new TicklineProcess([
      'tail',
      'quotes',
      '--json',
      '-s',
      'BTC-*',
      '-e',
      'okx,kraken',
      ...flags(),
    ]);
    const wanted = quoteAt(now(), {
      symbol: 'BTC-USDT',
      exchange: 'kraken',
      bidPrice: '0.000000000000000001',
    });
    // Where it begins is its own affair: quotes are written until it shows one.
    let written = 0;
    await eventually('a quote', async () => {
      written++;
      await writer.write('md.quotes', [
        recordOf('quotes', ids.quotes, 0, { ...wanted, symbol: 'ETH-USDT' }),
        recordOf('quotes', ids.quotes, 1, { ...wanted, exchange: 'binance' }),
        recordOf('quotes', ids.quotes, 2, { ...wanted, sequence: written }),
      ]);
      return running.stdout.includes('\n');
    });
    running.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    const lines = jsonLinesOf<ReturnType<typeof quoteAt>>(stdout);
    const start = lines[0]!.sequence;
    expect(lines).toEqual(lines.map((_, index) => ({ ...wanted, sequence: start + index })));
  });

  it('begins earlier with --from, ends after --limit, and aligns exact decimals', async () => {
    const since = now();
    const prices = ['64250.1', '0.000000000000000001', '99999999999999999999'];
    await writer.write(
      'md.trades',
      prices.map((price, tick) =>
        recordOf(
          'trades',
          ids.trades,
          7,
          tradeAt(since + tick, { price, side: tick === 1 ? 'sell' : 'buy' }),
        ),
      ),
    );
    const args = ['tail', 'trades', '--from', String(Math.floor(since / 1000)), '-n', '3'];
    const { code, stdout, stderr } = await tickline([...args, '--time', 'utc', ...flags()]);
    expect([code, stderr]).toEqual([0, '']);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toMatch(/^received +exchange +symbol +side +price +quantity +trade id$/);
    expect(rows.map((row) => row.split(/ +/)[4])).toEqual(prices);
    expect(rows[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z /);
    expect(stdout).not.toContain('\u001b');
    const json = await tickline([...args, '--json', ...flags()]);
    expect(jsonLinesOf<Trade>(json.stdout).map(({ price }) => price)).toEqual(prices);
    expect((await tickline([...args, '--json', '--time', 'relative', ...flags()])).code).toBe(2);
  });

  it('says that a symbol is not among those that are there, and waits', async () => {
    const running = new TicklineProcess(['tail', 'trades', '--symbol', 'BTCUSDT', ...flags()]);
    await eventually('the hint', () => running.stderr.endsWith('\n'));
    expect(running.stderr).toBe(
      'tickline: no symbol BTCUSDT in what was read: did you mean BTC-USDT?; waiting for it\n',
    );
    running.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('doctor', () => {
  async function checks(...args: string[]) {
    const { code, stdout } = await tickline(['doctor', '--json', ...args, ...flags()]);
    const report = JSON.parse(stdout) as { ok: boolean; failed: number; warned: number; checks: Check[] };
    const of = (what: string) => report.checks.find((check) => check.what === what);
    return { code, report, of };
  }

  it('finds nothing wrong where all is as provision made it and data is fresh', async () => {
    await writer.write('md.trades', [recordOf('trades', ids.trades, 0, tradeAt(now()))]);
    await writer.write('md.quotes', [recordOf('quotes', ids.quotes, 0, quoteAt(now()))]);
    const { code, report, of } = await checks();
    expect(report.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect([code, report.ok]).toEqual([0, true]);
    expect(of(`Kafka ${stack.brokers[0]}`)?.detail).toBe('speaks our versions, no login');
    expect(of('metadata')?.detail).toBe(`1 broker: ${stack.brokers[0]}`);
    expect(of('topic md.trades')?.detail).toBe('12 partitions, 1 copy, kept for 7d00h');
    expect(of('schema md.quotes-value')?.detail).toBe('versions 1; this build’s is 1');
  });

  it('warns of settings that differ, stale data and a clock that is wrong; each with what to do', async () => {
    await writer.createTopic('odd.trades', 5, { 'message.timestamp.type': 'LogAppendTime' });
    await writer.createTopic('odd.quotes', 3);
    await writer.createTopic('odd.status', 3);
    const id = await writer.registerOurs('odd.trades', 'trades');
    await writer.register(
      'odd.status',
      JSON.stringify({ type: 'record', name: 'Other', fields: [{ name: 'a', type: 'string' }] }),
    );
    await writer.write('odd.quotes', [recordOf('quotes', id, 0, quoteAt(now() + 3_600_000_000))]);
    const { code, of } = await checks('--kafka.topicPrefix', 'odd.', '--fresh', '1s');
    expect(code).toBe(1);
    expect(of('topic odd.trades')).toMatchObject({
      state: 'warn',
      detail:
        '5 partitions instead of 3 (as the other topics have); message.timestamp.type is LogAppendTime instead of CreateTime',
    });
    expect(of('topic odd.invalid')).toMatchObject({
      state: 'fail',
      advice: expect.stringContaining('provision'),
    });
    expect(of('data odd.trades')).toMatchObject({ state: 'warn', detail: 'the topic is empty' });
    expect(of('data odd.quotes')?.detail).toMatch(/ahead of this machine’s clock$/);
    expect(of('schema odd.trades-value')?.detail).toContain('instead of FULL_TRANSITIVE');
    expect(of('schema odd.quotes-value')).toMatchObject({ state: 'fail', detail: 'is not registered' });
    expect(of('schema odd.status-value')).toMatchObject({
      state: 'fail',
      detail: 'version 1 can’t be read by this build',
    });
    const { of: later } = await checks('--fresh', '1ms');
    expect(later('data md.trades')).toMatchObject({
      state: 'warn',
      advice: expect.stringContaining('tail status'),
    });
  });

  it('fails, line by line for people, where nothing answers', async () => {
    const nowhere = ['--kafka.brokers', 'localhost:1', '--registry.url', 'http://localhost:1'];
    const { code, stdout } = await tickline(['doctor', ...nowhere]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok {4}DNS localhost: /m);
    expect(stdout).toMatch(
      /^fail {2}TCP localhost:1: .*ECONNREFUSED.*\n {6}→ nothing answers at localhost:1 \(kafka\.brokers\)/m,
    );
    expect(stdout).toMatch(/^fail {2}registry: .*\n {6}→ look at registry\.url$/m);
    expect(stdout).toMatch(/\d ok, 0 warnings, 2 failures\n$/);
    const unnamed = await tickline([
      'doctor',
      '--kafka.brokers',
      'no.such.host.invalid:9092',
      ...nowhere.slice(2),
    ]);
    expect(unnamed.stdout).toMatch(/^fail {2}DNS no\.such\.host\.invalid: /m);
  });
});

describe('a schema that is foreign to the subject', () => {
  it('is shown as such by topics', async () => {
    await writer.createTopic('strange.trades', 1);
    await writer.registerOurs('strange.trades', 'trades');
    const other = await writer.register('else', JSON.stringify({ type: 'record', name: 'Else', fields: [] }));
    await writer.write('strange.trades', [
      { partition: 0, key: 'x', value: frameValue(other, Buffer.alloc(0)), timestampMs: Date.now() },
    ]);
    const { stdout } = await tickline(['topics', '--kafka.topicPrefix', 'strange.', ...flags()]);
    expect(stdout).toContain('registered 1; seen foreign');
  });
});
