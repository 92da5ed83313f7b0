import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExchangeName } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { type ContractFacts, type ExpectedTick, expectedTicks } from '../../../../test/frames/oracle.ts';
import { Recorder } from '../../../../test/frames/recorder.ts';
import type { Instrument } from './instrument.ts';
import { InstrumentIndex } from './instrument-index.ts';
import { exchanges } from './registry.ts';
import { decodeFrame } from './testing/decode-frame.ts';
import { unlistedInstrument } from './unlisted-instrument.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FOLDER = path.resolve(ROOT, process.env.TICKLINE_CAPTURES ?? '../shared/captures');
const present = existsSync(FOLDER);

interface CaptureCase {
  readonly market: string;
  readonly channel: string;
  readonly case: string;
  readonly frames: readonly unknown[];
  readonly expected: readonly Readonly<Record<string, unknown>>[];
}

/** What the recorded derivatives are worth, by their listings of the time. */
const CONTRACTS: Readonly<Record<string, ContractFacts>> = {
  'BTC-USDT-SWAP': { size: '0.01', inverse: false },
  'BTC-USD-220527': { size: '100', inverse: true },
  'UNI-USD-SWAP': { size: '10', inverse: true },
};

function decoderOf(exchange: ExchangeName) {
  const index = new InstrumentIndex((name): Instrument => {
    const facts = CONTRACTS[name];
    const unlisted = unlistedInstrument(exchange, name);
    return facts === undefined ? unlisted : { ...unlisted, contractSize: facts.size, inverse: facts.inverse };
  });
  return exchanges[exchange].createDecoder(index);
}

/** Decodes a frame; its ticks must be the oracle's, and it must not be taken for damaged. */
function decodeTicks(
  exchange: ExchangeName,
  decoder: ReturnType<typeof decoderOf>,
  frame: string,
): ExpectedTick[] {
  const recorder = new Recorder();
  decodeFrame(decoder, frame, recorder);
  expect(recorder.errors).toEqual([]);
  if (recorder.ticks.length > 0) {
    expect(recorder.ticks).toEqual(expectedTicks(exchange, frame, (name) => CONTRACTS[name]));
  }
  return recorder.ticks;
}

function cases(file: string): CaptureCase[] {
  return readFileSync(path.join(FOLDER, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CaptureCase);
}

/** Received frames of a recording: `<time>: <frame>`. */
function received(file: string): string[] {
  return readFileSync(path.join(FOLDER, 'cryptofeed-v2', file), 'utf8')
    .split('\n')
    .map((line) => /^[0-9.]+: (.*)$/.exec(line)?.[1])
    .filter((frame) => frame !== undefined);
}

/** The fixture's own reading, in binary floating point: a second opinion on the digits. */
function agree(tick: ExpectedTick, expected: Readonly<Record<string, unknown>>): void {
  if (tick.channel === 'trades') {
    const size = Number(tick.contracts ?? tick.quantity);
    expect([tick.tradeId, tick.side, Number(tick.price), size, Number(tick.exchangeTime) / 1000]).toEqual([
      expected.id,
      expected.side,
      expected.price,
      expected.amount,
      expected.timestamp,
    ]);
    return;
  }
  const [bid, ask] = [expected.bids, expected.asks].map((side) => (side as number[][] | undefined)?.[0]);
  expect([tick.bidPrice, tick.bidQuantity, tick.askPrice, tick.askQuantity].map(Number)).toEqual([
    bid?.[0] ?? expected.bid,
    bid?.[1] ?? expected.bidVolume,
    ask?.[0] ?? expected.ask,
    ask?.[1] ?? expected.askVolume,
  ]);
}

const notice = present ? '' : ` (skipped: no captures in ${FOLDER}; set TICKLINE_CAPTURES)`;

describe.skipIf(!present)(`captured frames${notice}`, () => {
  it.each<[ExchangeName, string, string, string, number]>([
    ['binance', 'binance.jsonl', 'spot', 'quotes', 2],
    ['binance', 'binance.jsonl', 'usdm', 'trades', 2],
    ['bybit-spot', 'bybit.jsonl', 'spot', 'trades', 11],
    ['bybit-spot', 'bybit.jsonl', 'linear', 'trades', 2],
    ['bybit-spot', 'bybit.jsonl', 'spot', 'quotes', 2],
    ['bybit-spot', 'bybit.jsonl', 'spot', 'book', 2],
    ['okx', 'okx.jsonl', 'spot', 'trades', 2],
    ['okx', 'okx.jsonl', 'swap', 'trades', 2],
    ['kraken', 'kraken.jsonl', 'spot', 'ticker', 2],
  ])('%s %s: %s %s', (exchange, file, market, channel, count) => {
    const decoder = decoderOf(exchange);
    const found = cases(file).filter((each) => each.market === market && each.channel === channel);
    expect(found.length).toBeGreaterThan(0);
    const ticks: ExpectedTick[] = [];
    for (const { frames, expected } of found) {
      const decoded = frames.flatMap((frame) => decodeTicks(exchange, decoder, JSON.stringify(frame)));
      for (const [at, each] of expected.entries()) agree(decoded[at]!, each);
      ticks.push(...decoded);
    }
    expect(ticks).toHaveLength(count);
  });

  it.each<[ExchangeName, string]>([
    ['binance', 'binance.jsonl'],
    ['bybit-spot', 'bybit.jsonl'],
    ['okx', 'okx.jsonl'],
    ['kraken', 'kraken.jsonl'],
  ])('%s: no frame of %s is taken for damaged', (exchange, file) => {
    const decoder = decoderOf(exchange);
    for (const { frames } of cases(file)) {
      for (const frame of frames) decodeTicks(exchange, decoder, JSON.stringify(frame));
    }
  });

  it('okx: tickers are no quotes', () => {
    const decoder = decoderOf('okx');
    const recorder = new Recorder();
    for (const { channel, frames } of cases('okx.jsonl')) {
      if (channel !== 'quotes') continue;
      for (const frame of frames) decodeFrame(decoder, JSON.stringify(frame), recorder);
    }
    expect([recorder.ticks, recorder.errors, recorder.skips]).toEqual([[], [], ['tickers', 'tickers']]);
  });

  it.each<[ExchangeName, string, number]>([
    ['binance', 'BINANCE.ws.1.0', 84 + 2],
    ['binance', 'BINANCE_FUTURES.ws.1.0', 613 + 91],
    ['binance', 'BINANCE_DELIVERY.ws.1.0', 2240 + 51],
    ['okx', 'OKX.ws.1.0', 74],
  ])('%s: the recording %s', (exchange, file, count) => {
    const decoder = decoderOf(exchange);
    const ticks = received(file).flatMap((frame) => decodeTicks(exchange, decoder, frame));
    expect(ticks).toHaveLength(count);
  });
});

if (!present) process.stderr.write(`tests of captured frames are skipped: no ${FOLDER}\n`);
