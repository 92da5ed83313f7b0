import type { TickEnvelope } from './avro-writer.ts';
import type { Decimal } from './decimal.ts';
import type { Status } from './generated/records.ts';
import { type ByteRange, NO_TIME, type QuoteDraft, type TradeDraft } from './tick.ts';
import { writeUnsignedVarint } from './varint.ts';

/** Wire types of protobuf's encoding. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

function tag(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

// Field numbers of proto/tickline/market_data/v1/market_data.proto, messages Trade and Quote.
const EXCHANGE = tag(1, LENGTH_DELIMITED);
const SYMBOL = tag(2, LENGTH_DELIMITED);
const EXCHANGE_SYMBOL = tag(3, LENGTH_DELIMITED);
const PRODUCER = tag(4, LENGTH_DELIMITED);
const SESSION = tag(5, LENGTH_DELIMITED);
const EXCHANGE_TIME = tag(6, VARINT);
const RECEIVE_TIME = tag(7, VARINT);
const SEQUENCE = tag(8, VARINT);
const CONFLATED = tag(9, VARINT);
const PRICE = tag(10, LENGTH_DELIMITED);
const QUANTITY = tag(11, LENGTH_DELIMITED);
const CONTRACTS = tag(12, LENGTH_DELIMITED);
const SIDE = tag(13, VARINT);
const TRADE_ID = tag(14, LENGTH_DELIMITED);
const FILL_COUNT = tag(15, VARINT);
const BID_PRICE = tag(10, LENGTH_DELIMITED);
const BID_QUANTITY = tag(11, LENGTH_DELIMITED);
const ASK_PRICE = tag(12, LENGTH_DELIMITED);
const ASK_QUANTITY = tag(13, LENGTH_DELIMITED);
const BID_CONTRACTS = tag(14, LENGTH_DELIMITED);
const ASK_CONTRACTS = tag(15, LENGTH_DELIMITED);
/** Field 16 is the first whose tag takes two bytes. */
const UPDATE_ID = tag(16, LENGTH_DELIMITED);

/** What every protobuf tick of one symbol's channel begins with: the names and the producer. */
export function encodeProtoPrefix(
  exchange: string,
  symbol: string,
  exchangeSymbol: string,
  producer: string,
): Uint8Array {
  const parts = [
    [EXCHANGE, exchange],
    [SYMBOL, symbol],
    [EXCHANGE_SYMBOL, exchangeSymbol],
    [PRODUCER, producer],
  ] as const;
  return Buffer.concat(
    parts.map(([head, text]) => {
      const bytes = Buffer.from(text, 'utf8');
      const target = new Uint8Array(bytes.length + 6);
      return target.subarray(0, writeBytes(target, 0, head, bytes));
    }),
  );
}

/**
 * Writes one serialized `Trade` message, without tag and length around it. `conflated` is always
 * there, also when 0. Room and result as `writeTrade`.
 */
export function writeTradeProto(
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
  target[at++] = SIDE;
  // SIDE_BUY is 1: 0 is SIDE_UNSPECIFIED.
  target[at++] = trade.side + 1;
  at = writeRange(target, at, TRADE_ID, trade.tradeId);
  if (trade.fillCount !== 0) {
    target[at++] = FILL_COUNT;
    at = writeUnsignedVarint(target, at, trade.fillCount);
  }
  return at;
}

/** As `writeTradeProto`, one serialized `Quote` message. */
export function writeQuoteProto(
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
  return quote.updateId.isEmpty ? at : writeRange(target, at, UPDATE_ID, quote.updateId);
}

function writeHead(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  exchangeTime: number,
): number {
  target.set(prefix, offset);
  let at = writeBytes(target, offset + prefix.length, SESSION, envelope.session.bytes);
  if (exchangeTime !== NO_TIME) {
    target[at++] = EXCHANGE_TIME;
    at = writeUnsignedVarint(target, at, exchangeTime);
  }
  target[at++] = RECEIVE_TIME;
  at = writeUnsignedVarint(target, at, envelope.receiveTime);
  target[at++] = SEQUENCE;
  at = writeUnsignedVarint(target, at, envelope.sequence);
  target[at++] = CONFLATED;
  envelope.conflatedAt = at;
  return writeUnsignedVarint(target, at, envelope.conflated);
}

function writeBytes(target: Uint8Array, offset: number, head: number, bytes: Uint8Array): number {
  target[offset] = head;
  const at = writeUnsignedVarint(target, offset + 1, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

/** Exact, as plain decimal text; at most 40 bytes, so that the length is one byte. */
function writeDecimal(target: Uint8Array, offset: number, head: number, decimal: Decimal): number {
  if (decimal.isNull) return offset;
  target[offset] = head;
  const end = decimal.writeText(target, offset + 2);
  target[offset + 1] = end - offset - 2;
  return end;
}

function writeRange(target: Uint8Array, offset: number, head: number, range: ByteRange): number {
  const { bytes, start, end } = range;
  let at = writeUnsignedVarint(target, offset, head);
  at = writeUnsignedVarint(target, at, end - start);
  for (let from = start; from < end; from++) target[at++] = bytes[from]!;
  return at;
}

/** One serialized `Status` message; such records are few. */
export function encodeStatusProto(status: Status): Uint8Array {
  const fields: readonly (string | number | null)[] = [
    status.exchange,
    status.symbol,
    status.exchangeSymbol,
    status.channel,
    status.producer,
    status.session,
    status.time,
    status.state,
    status.reason,
    status.firstId,
    status.lastId,
    status.firstTime,
    status.lastTime,
    status.count,
  ];
  return Buffer.concat(
    fields.flatMap((value, index) => {
      if (value === null) return [];
      // Numbers 1 to 14 in the message's order: each tag is one byte.
      const number = index + 1;
      if (typeof value === 'number') {
        const target = new Uint8Array(11);
        target[0] = tag(number, VARINT);
        return [target.subarray(0, writeUnsignedVarint(target, 1, value))];
      }
      const bytes = Buffer.from(value, 'utf8');
      const target = new Uint8Array(bytes.length + 6);
      return [target.subarray(0, writeBytes(target, 0, tag(number, LENGTH_DELIMITED), bytes))];
    }),
  );
}
