import type { TickEnvelope } from './avro-writer.ts';
import type { Decimal } from './decimal.ts';
import { type ByteRange, NO_TIME, type QuoteDraft, SIDES, type TradeDraft } from './tick.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NULL = Buffer.from('null');

/** `,"name":` of each field behind the prefix. */
function field(name: string): Uint8Array {
  return Buffer.from(`,"${name}":`);
}
const EXCHANGE_TIME = Buffer.from('","exchangeTime":');
const RECEIVE_TIME = field('receiveTime');
const SEQUENCE = field('sequence');
const CONFLATED = field('conflated');
const PRICE = field('price');
const QUANTITY = field('quantity');
const CONTRACTS = field('contracts');
const SIDE = SIDES.map((side) => Buffer.from(`,"side":"${side}"`));
const TRADE_ID = field('tradeId');
const FILL_COUNT = field('fillCount');
const BID_PRICE = field('bidPrice');
const BID_QUANTITY = field('bidQuantity');
const ASK_PRICE = field('askPrice');
const ASK_QUANTITY = field('askQuantity');
const BID_CONTRACTS = field('bidContracts');
const ASK_CONTRACTS = field('askContracts');
const UPDATE_ID = field('updateId');

/** What every JSON tick of one symbol's channel begins with, up to the session's opening quote. */
export function encodeJsonPrefix(
  exchange: string,
  symbol: string,
  exchangeSymbol: string,
  producer: string,
): Uint8Array {
  const names = JSON.stringify({ exchange, symbol, exchangeSymbol, producer });
  return Buffer.from(`${names.slice(0, -1)},"session":"`);
}

/**
 * Writes a trade as the plain JSON of its record: fields in the record's order, decimals as strings,
 * times as integer microseconds, what is missing as null. Room and result as `writeTrade`.
 */
export function writeTradeJson(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  trade: TradeDraft,
): number {
  let at = writeHead(target, offset, prefix, envelope, trade.exchangeTime);
  at = writeDecimal(target, at, PRICE, trade.price);
  at = writeDecimal(target, at, QUANTITY, trade.quantity);
  at = writeDecimal(target, at, CONTRACTS, trade.contracts);
  at = copy(target, at, SIDE[trade.side]!);
  at = writeText(target, at, TRADE_ID, trade.tradeId);
  at = copy(target, at, FILL_COUNT);
  at = trade.fillCount === 0 ? copy(target, at, NULL) : writeWhole(target, at, trade.fillCount);
  target[at++] = 0x7d;
  return at;
}

/** As `writeTradeJson`, for a quote. */
export function writeQuoteJson(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  quote: QuoteDraft,
): number {
  let at = writeHead(target, offset, prefix, envelope, quote.exchangeTime);
  at = writeDecimal(target, at, BID_PRICE, quote.bidPrice);
  at = writeDecimal(target, at, BID_QUANTITY, quote.bidQuantity);
  at = writeDecimal(target, at, ASK_PRICE, quote.askPrice);
  at = writeDecimal(target, at, ASK_QUANTITY, quote.askQuantity);
  at = writeDecimal(target, at, BID_CONTRACTS, quote.bidContracts);
  at = writeDecimal(target, at, ASK_CONTRACTS, quote.askContracts);
  at = writeText(target, at, UPDATE_ID, quote.updateId);
  target[at++] = 0x7d;
  return at;
}

function writeHead(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  exchangeTime: number,
): number {
  let at = copy(target, offset, prefix);
  at = copy(target, at, envelope.session.bytes);
  at = copy(target, at, EXCHANGE_TIME);
  at = exchangeTime === NO_TIME ? copy(target, at, NULL) : writeWhole(target, at, exchangeTime);
  at = copy(target, at, RECEIVE_TIME);
  at = writeWhole(target, at, envelope.receiveTime);
  at = copy(target, at, SEQUENCE);
  at = writeWhole(target, at, envelope.sequence);
  at = copy(target, at, CONFLATED);
  envelope.conflatedAt = at;
  return writeWhole(target, at, envelope.conflated);
}

function copy(target: Uint8Array, offset: number, bytes: Uint8Array): number {
  target.set(bytes, offset);
  return offset + bytes.length;
}

function writeDecimal(target: Uint8Array, offset: number, name: Uint8Array, decimal: Decimal): number {
  let at = copy(target, offset, name);
  if (decimal.isNull) return copy(target, at, NULL);
  target[at++] = QUOTE;
  at = decimal.writeText(target, at);
  target[at++] = QUOTE;
  return at;
}

/** Ids hold no control characters (the decoders refuse them): two characters need a backslash. */
function writeText(target: Uint8Array, offset: number, name: Uint8Array, range: ByteRange): number {
  let at = copy(target, offset, name);
  if (range.isEmpty) return copy(target, at, NULL);
  const { bytes, start, end } = range;
  target[at++] = QUOTE;
  for (let from = start; from < end; from++) {
    const byte = bytes[from]!;
    if (byte === QUOTE || byte === BACKSLASH) target[at++] = BACKSLASH;
    target[at++] = byte;
  }
  target[at++] = QUOTE;
  return at;
}

/** A whole number from 0 to 2^53 in decimal digits. */
export function writeWhole(target: Uint8Array, offset: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const next = Math.floor(rest / 10);
    target[at] = ZERO + (rest - next * 10);
    rest = next;
  }
  return offset + digits;
}
