import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroType } from './avro-types.ts';
import {
  encodeText,
  encodeTickPrefix,
  MAX_TICK_BYTES,
  TickEnvelope,
  writeQuote,
  writeTrade,
  writeVarint,
} from './avro-writer.ts';
import { frameValue } from './confluent-format.ts';
import { type Decimal, formatUnscaled } from './decimal.ts';
import type { Quote, Trade } from './generated/records.ts';
import { NO_TIME, QuoteDraft, SIDES, TradeDraft } from './tick.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 24 });
const id = fc.string({ unit: fc.constantFrom(...'0123456789abcdef-'), minLength: 1, maxLength: 40 });
const micros = fc.integer({ min: 0, max: 7_000_000_000_000_000 });
const decimal = fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }).map(formatUnscaled);
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

const head = {
  exchange: text,
  symbol: text,
  exchangeSymbol: text,
  producer: text,
  session: text,
  exchangeTime: nullable(micros),
  receiveTime: micros,
  sequence: fc.integer({ min: 0, max: 2 ** 51 }),
  conflated: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
};
const trades: fc.Arbitrary<Trade> = fc.record({
  ...head,
  price: decimal,
  quantity: decimal,
  contracts: nullable(decimal),
  side: fc.constantFrom(...SIDES),
  tradeId: id,
  fillCount: nullable(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
});
const quotes: fc.Arbitrary<Quote> = fc.record({
  ...head,
  bidPrice: nullable(decimal),
  bidQuantity: nullable(decimal),
  askPrice: nullable(decimal),
  askQuantity: nullable(decimal),
  bidContracts: nullable(decimal),
  askContracts: nullable(decimal),
  updateId: nullable(id),
});

function fill(target: Decimal, value: string | null): void {
  if (value === null) target.clear();
  else expect(target.parseText(value)).toBe(true);
}

function envelopeOf(record: Trade | Quote): TickEnvelope {
  const envelope = new TickEnvelope();
  envelope.session = encodeText(record.session);
  envelope.receiveTime = record.receiveTime;
  envelope.sequence = record.sequence;
  envelope.conflated = record.conflated;
  return envelope;
}

function prefixOf(record: Trade | Quote): Uint8Array {
  return encodeTickPrefix(77, record.exchange, record.symbol, record.exchangeSymbol, record.producer);
}

describe('our Avro writer', () => {
  it('writes trades byte for byte as avsc does', () => {
    const oracle = avroType('trades');
    const draft = new TradeDraft();
    const target = new Uint8Array(MAX_TICK_BYTES + 3);
    fc.assert(
      fc.property(trades, (trade) => {
        draft.exchangeTime = trade.exchangeTime ?? NO_TIME;
        fill(draft.price, trade.price);
        fill(draft.quantity, trade.quantity);
        fill(draft.contracts, trade.contracts);
        draft.side = trade.side === 'buy' ? 0 : 1;
        const idBytes = Buffer.from(`"${trade.tradeId}"`);
        draft.tradeId.set(idBytes, 1, idBytes.length - 1);
        draft.fillCount = trade.fillCount ?? 0;
        const end = writeTrade(target, 3, prefixOf(trade), envelopeOf(trade), draft);
        expect(Buffer.from(target.subarray(3, end))).toEqual(frameValue(77, oracle.toBuffer(trade)));
      }),
    );
  });

  it('writes quotes byte for byte as avsc does, and says where `conflated` lies', () => {
    const oracle = avroType('quotes');
    const draft = new QuoteDraft();
    const target = new Uint8Array(MAX_TICK_BYTES + 3);
    fc.assert(
      fc.property(quotes, (quote) => {
        draft.exchangeTime = quote.exchangeTime ?? NO_TIME;
        fill(draft.bidPrice, quote.bidPrice);
        fill(draft.bidQuantity, quote.bidQuantity);
        fill(draft.askPrice, quote.askPrice);
        fill(draft.askQuantity, quote.askQuantity);
        fill(draft.bidContracts, quote.bidContracts);
        fill(draft.askContracts, quote.askContracts);
        if (quote.updateId === null) draft.updateId.clear();
        else {
          const idBytes = Buffer.from(quote.updateId);
          draft.updateId.set(idBytes, 0, idBytes.length);
        }
        const envelope = envelopeOf({ ...quote, conflated: 0 });
        const end = writeQuote(target, 3, prefixOf(quote), envelope, draft);
        const count = new Uint8Array(5);
        const spliced = Buffer.concat([
          target.subarray(3, envelope.conflatedAt),
          count.subarray(0, writeVarint(count, 0, quote.conflated)),
          target.subarray(envelope.conflatedAt + 1, end),
        ]);
        expect(spliced).toEqual(frameValue(77, oracle.toBuffer(quote)));
      }),
    );
  });

  it('fits MAX_TICK_BYTES at the longest names and ids', () => {
    const long = 'ß'.repeat(64);
    const quote = new QuoteDraft();
    for (const side of [
      quote.bidPrice,
      quote.bidQuantity,
      quote.askPrice,
      quote.askQuantity,
      quote.bidContracts,
      quote.askContracts,
    ]) {
      side.setUnscaled(10n ** 38n - 1n);
    }
    const idBytes = Buffer.alloc(128, 0x39);
    quote.updateId.set(idBytes, 0, idBytes.length);
    const envelope = new TickEnvelope();
    envelope.session = encodeText('s'.repeat(12));
    const end = writeQuote(
      Buffer.alloc(MAX_TICK_BYTES),
      0,
      encodeTickPrefix(1, long, long, long, long),
      envelope,
      quote,
    );
    expect(end).toBeLessThan(MAX_TICK_BYTES);
  });
});
