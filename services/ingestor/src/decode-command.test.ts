import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { EXCHANGES } from '@tickline/schemas';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { frameCases } from '../../../test/frames/frame-cases.ts';
import { decodeCommand } from './decode-command.ts';
import { LineSplitter } from './line-splitter.ts';

const TRADE =
  '{"stream":"btcusdt@trade","data":{"e":"trade","E":1781337600456,"s":"BTCUSDT","t":5123456789,"p":"64250.11000000","q":"0.00150000","T":1781337600455,"m":true,"M":true}}';
const QUOTE =
  '{"u":70012345678,"s":"BTCUSDT","b":"64250.10","B":"1.25000000","a":"64250.11","A":"0.40000000"}';
const ANY = ['--exchange', 'binance', '--any-instrument'];

const folder = mkdtempSync(path.join(tmpdir(), 'tickline-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const place = path.join(folder, name);
  writeFileSync(place, typeof content === 'string' ? content : JSON.stringify(content));
  return place;
}

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(argv: readonly string[], input: string | readonly Buffer[] = '') {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const parts = typeof input === 'string' ? [Buffer.from(input)] : input;
  const stdin = Readable.from(parts.filter((part) => part.length > 0));
  const code = await decodeCommand(argv, { stdin, stdout, stderr });
  const lines = stdout.text.split('\n').slice(0, -1);
  return { code, stdout: stdout.text, stderr: stderr.text, lines };
}

const errorsOf = (lines: readonly string[]) =>
  lines.map((line) => (JSON.parse(line) as { error: unknown }).error);

describe('decode', () => {
  it('writes a trade as its record, in the order of the record', async () => {
    const { code, lines } = await run(ANY, `${TRADE}\n`);
    expect(code).toBe(0);
    expect(lines).toEqual([
      '{"ticks":[{"channel":"trades","exchange":"binance","symbol":"BTCUSDT","exchangeSymbol":"BTCUSDT","producer":null,"session":null,"exchangeTime":1781337600455000,"receiveTime":null,"sequence":null,"conflated":0,"price":"64250.11","quantity":"0.0015","contracts":null,"side":"sell","tradeId":"5123456789","fillCount":null}],"control":null,"error":null}',
    ]);
  });

  it('writes a quote as its record, in the order of the record', async () => {
    const { lines } = await run(ANY, QUOTE);
    expect(lines).toEqual([
      '{"ticks":[{"channel":"quotes","exchange":"binance","symbol":"BTCUSDT","exchangeSymbol":"BTCUSDT","producer":null,"session":null,"exchangeTime":null,"receiveTime":null,"sequence":null,"conflated":0,"bidPrice":"64250.1","bidQuantity":"1.25","askPrice":"64250.11","askQuantity":"0.4","bidContracts":null,"askContracts":null,"updateId":"70012345678"}],"control":null,"error":null}',
    ]);
  });

  it('answers every line: other ends of line, empty ones, garbage', async () => {
    const garbage = Buffer.from([0xff, 0x00, 0xfe, 0x22, 0x0a]);
    const { code, lines } = await run(ANY, [
      Buffer.from(`${TRADE}\r\n\n \t\r\n{"result":null,"id":1}\r\n`),
      garbage,
      Buffer.from(`${QUOTE}`),
    ]);
    expect(code).toBe(0);
    const errors = errorsOf(lines);
    expect(errors).toEqual([
      null,
      'not-json: the line is empty',
      'not-json: the line is empty',
      null,
      expect.stringMatching(/^not-json: /),
      null,
    ]);
    expect((JSON.parse(lines[3]!) as { control: unknown }).control).toBe('ack');
  });

  it.each(EXCHANGES)('answers our own frames of %s as the decoder does', async (exchange) => {
    const cases = frameCases(exchange).filter(({ error }) => error !== 'unknown-symbol');
    const input = cases.map(({ frame }) => `${frame}\n`).join('');
    const { lines } = await run(['--exchange', exchange, '--any-instrument'], input);
    const answers = lines.map(
      (line) => JSON.parse(line) as { ticks: unknown[]; control: string; error: string },
    );
    expect(
      answers.map(({ ticks, control, error }) => [ticks.length, control, error?.split(':')[0] ?? null]),
    ).toEqual(cases.map(({ ticks, control, error }) => [ticks.length, control, error]));
  });

  it('answers a pong before the end of its line is cut off', async () => {
    const { lines } = await run(['--exchange', 'okx', '--any-instrument'], 'pong\r\n');
    expect(lines).toEqual(['{"ticks":[],"control":"pong","error":null}']);
  });

  it('names both ways to the instruments when it has neither', async () => {
    const { lines } = await run(['--exchange', 'binance'], TRADE);
    const [error] = errorsOf(lines);
    expect(error).toMatch(/^unknown-symbol: BTCUSDT: .*--instruments FILE.*--any-instrument/);
  });

  it('takes the instruments from a file', async () => {
    const place = file('info.json', {
      symbols: [{ symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', filters: [] }],
    });
    const other = TRADE.replace('BTCUSDT', 'ETHUSDT');
    const { lines } = await run([`--exchange=binance`, `--instruments=${place}`], `${TRADE}\n${other}\n`);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      ticks: [{ symbol: 'BTC-USDT', exchangeSymbol: 'BTCUSDT' }],
    });
    expect(errorsOf(lines)).toEqual([null, 'unknown-symbol: ETHUSDT']);
  });

  it('keeps contracts of a size that it does not know', async () => {
    const frame =
      '{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"1","px":"64250.1","sz":"3.5","side":"buy","ts":"1781337600455","count":"2"}]}';
    const any = await run(['--exchange', 'okx', '--any-instrument'], frame);
    expect(JSON.parse(any.lines[0]!)).toMatchObject({
      ticks: [{ contracts: '3.5', quantity: null, fillCount: 2 }],
    });
    const place = file('swap.json', {
      code: '0',
      data: [
        {
          instType: 'SWAP',
          instId: 'BTC-USDT-SWAP',
          uly: 'BTC-USDT',
          settleCcy: 'USDT',
          ctType: 'linear',
          ctVal: '0.01',
          ctMult: '1',
        },
      ],
    });
    const listed = await run(['--exchange', 'okx', '--instruments', place], frame);
    expect(JSON.parse(listed.lines[0]!)).toMatchObject({
      ticks: [{ symbol: 'BTC-USDT-PERP', contracts: '3.5', quantity: '0.035' }],
    });
  });

  it('names no more than a few of many errors in one line', async () => {
    const bad = '{"T":1,"s":"BTCUSDT","S":"Buy","v":"1","p":"0","i":"x"}';
    const frame = `{"topic":"publicTrade.BTCUSDT","data":[${Array.from({ length: 9 }, () => bad).join(',')}]}`;
    const { lines } = await run(['--exchange', 'bybit-spot', '--any-instrument'], frame);
    const [error] = errorsOf(lines);
    expect(String(error).match(/invalid-price/g)).toHaveLength(5);
    expect(error).toMatch(/; and 4 more$/);
  });

  it.each([
    [[], /--exchange is missing: one of binance, bybit-spot, okx, kraken/],
    [['--exchange', 'binnance'], /--exchange binnance is not known, did you mean binance\? It is one of/],
    [['--exchange', 'bybit'], /did you mean bybit-spot|one of binance, bybit-spot, okx, kraken/],
    [['--exchange'], /--exchange needs a value/],
    [['--exchange', '--any-instrument'], /--exchange needs a value/],
    [
      ['--exchange', 'okx', '--any-instruments'],
      /--any-instruments is not an option of decode, did you mean --any-instrument\?/,
    ],
    [['--exchange', 'okx', '--any-instrument=yes'], /--any-instrument takes no value/],
    [['--exchange', 'okx', 'file.jsonl'], /file\.jsonl is not an option of decode\. It takes/],
    [['--exchange', 'okx', '--integrity'], /--integrity is reserved for the order books/],
    [
      ['--exchange', 'okx', '--instruments', '/nowhere/x.json'],
      /--instruments \/nowhere\/x\.json cannot be read/,
    ],
  ])('refuses %j', async (argv, message) => {
    const { code, stdout, stderr } = await run(argv, TRADE);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('refuses a file that is no listing', async () => {
    const text = await run(['--exchange', 'okx', '--instruments', file('bad.json', '{')], TRADE);
    expect([text.code, text.stderr]).toEqual([2, expect.stringContaining('is not JSON')]);
    const other = await run(['--exchange', 'okx', '--instruments', file('other.json', { a: 1 })], TRADE);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('/api/v5/public/instruments')]);
  });

  it('helps', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const word of ['--exchange', '--instruments', '--any-instrument', '--integrity', ...EXCHANGES]) {
      expect(stdout).toContain(word);
    }
  });

  it('ends quietly when the reader has seen enough', async () => {
    const stderr = new Collected();
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.from(`${TRADE}\n`);
      })(),
    );
    expect(await decodeCommand(ANY, { stdin: endless, stdout, stderr })).toBe(0);
    expect([stderr.text, endless.destroyed]).toEqual(['', true]);
  });

  it('says when it cannot write or read', async () => {
    const full = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
      },
    });
    const stderr = new Collected();
    const stdin = Readable.from([Buffer.from(`${TRADE}\n`), Buffer.from(`${TRADE}\n`)]);
    expect(await decodeCommand(ANY, { stdin, stdout: full, stderr })).toBe(1);
    expect(stderr.text).toContain('standard output cannot be written: no space left on device');
    const broken = new PassThrough();
    broken.destroy(new Error('is a directory'));
    const second = new Collected();
    expect(await decodeCommand(ANY, { stdin: broken, stdout: new Collected(), stderr: second })).toBe(1);
    expect(second.text).toContain('standard input cannot be read: is a directory');
  });

  it('reads no further than a slow reader takes', async () => {
    const total = 2000;
    let given = 0;
    let held: (() => void) | null = null;
    const stdout = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        held = done;
      },
    });
    const stdin = Readable.from(
      (function* () {
        for (; given < total; given++) yield Buffer.from(`${TRADE}\n`);
      })(),
      { highWaterMark: 1 },
    );
    const ended = decodeCommand(ANY, { stdin, stdout, stderr: new Collected() });
    // The event loop turns as often as it likes: without a drain nothing more is read.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBeLessThan(10);
    const release = setInterval(() => held?.(), 0);
    stdout._write = (_chunk, _encoding, done) => done();
    expect(await ended).toBe(0);
    clearInterval(release);
    expect(given).toBe(total);
  });
});

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const bytes = fc.array(fc.constantFrom(0x61, 0x0a, 0x0d, 0x20, 0xc3), { maxLength: 40 });
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(40)), (content, cuts) => {
        const whole = Buffer.from(content);
        const read = (chunks: readonly Buffer[]) => {
          const lines: (string | null)[] = [];
          const splitter = new LineSplitter(8, (line) =>
            lines.push(line === null ? null : Buffer.from(line).toString('latin1')),
          );
          for (const chunk of chunks) {
            splitter.take(chunk);
            chunk.fill(0x7a);
          }
          splitter.end();
          return lines;
        };
        const points = [0, ...cuts.filter((cut) => cut <= whole.length).sort((a, b) => a - b), whole.length];
        const pieces = points.slice(1).map((end, at) => Buffer.from(whole.subarray(points[at], end)));
        const expected = whole.toString('latin1').split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(read(pieces)).toEqual(
          expected.map((line) => (line.length > 8 ? null : line.endsWith('\r') ? line.slice(0, -1) : line)),
        );
      }),
    );
  });
});
