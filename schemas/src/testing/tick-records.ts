import fc from 'fast-check';
import { SessionText, TickEnvelope } from '../avro-writer.ts';
import { type Decimal, formatUnscaled } from '../decimal.ts';
import type { Quote, Trade } from '../generated/records.ts';
import { NO_TIME, QuoteDraft, SIDES, TradeDraft } from '../tick.ts';

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
  session: id,
  exchangeTime: nullable(micros),
  receiveTime: micros,
  sequence: fc.integer({ min: 0, max: 2 ** 51 }),
  conflated: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
};
/** Any trade that a record can hold. */
export const trades: fc.Arbitrary<Trade> = fc.record({
  ...head,
  price: decimal,
  quantity: decimal,
  contracts: nullable(decimal),
  side: fc.constantFrom(...SIDES),
  tradeId: id,
  fillCount: nullable(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
});
/** Any quote that a record can hold. */
export const quotes: fc.Arbitrary<Quote> = fc.record({
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
  else if (!target.parseText(value)) throw new Error(`not a decimal: ${value}`);
}

/** What the pipeline adds to the draft of this record. */
export function envelopeOf(record: Trade | Quote): TickEnvelope {
  const envelope = new TickEnvelope();
  envelope.session = new SessionText(record.session);
  envelope.receiveTime = record.receiveTime;
  envelope.sequence = record.sequence;
  envelope.conflated = record.conflated;
  return envelope;
}

/** The draft that a decoder would have made for this record. */
export function tradeDraftOf(trade: Trade): TradeDraft {
  const draft = new TradeDraft();
  draft.exchangeTime = trade.exchangeTime ?? NO_TIME;
  fill(draft.price, trade.price);
  fill(draft.quantity, trade.quantity);
  fill(draft.contracts, trade.contracts);
  draft.side = trade.side === 'buy' ? 0 : 1;
  // Bytes around the id must not be read.
  const bytes = Buffer.from(`"${trade.tradeId}"`);
  draft.tradeId.set(bytes, 1, bytes.length - 1);
  draft.fillCount = trade.fillCount ?? 0;
  return draft;
}

/** As `tradeDraftOf`, for a quote. */
export function quoteDraftOf(quote: Quote): QuoteDraft {
  const draft = new QuoteDraft();
  draft.exchangeTime = quote.exchangeTime ?? NO_TIME;
  fill(draft.bidPrice, quote.bidPrice);
  fill(draft.bidQuantity, quote.bidQuantity);
  fill(draft.askPrice, quote.askPrice);
  fill(draft.askQuantity, quote.askQuantity);
  fill(draft.bidContracts, quote.bidContracts);
  fill(draft.askContracts, quote.askContracts);
  if (quote.updateId !== null) {
    const bytes = Buffer.from(`"${quote.updateId}"`);
    draft.updateId.set(bytes, 1, bytes.length - 1);
  }
  return draft;
}
