import type { Decimal } from './decimal.ts';
import type { ByteRange, QuoteDraft, TradeDraft } from './tick.ts';
import { NO_TIME } from './tick.ts';
import { writeUnsignedVarint } from './varint.ts';

/** First byte of the Confluent wire format; the schema id follows in four bytes, big-endian. */
export const CONFLUENT_MAGIC = 0;
export const CONFLUENT_HEADER_BYTES = 5;

/** Room that one tick may need in the target, in any format: header, names, six decimals, ids. */
export const MAX_TICK_BYTES = 4096;
/** Longest id that a record takes, in bytes; "ids are short strings". */
export const MAX_ID_BYTES = 128;
/** Longest exchange symbol and canonical symbol, in UTF-8 bytes. */
export const MAX_SYMBOL_BYTES = 128;

/** A session's id in the forms that the writers copy. */
export class SessionText {
  /** As an Avro string. */
  readonly avro: Uint8Array;
  /** The bare bytes. */
  readonly bytes: Uint8Array;

  constructor(id: string) {
    this.avro = encodeText(id);
    this.bytes = Buffer.from(id, 'utf8');
  }
}

/** What numbering and provenance add to a draft; filled again for each tick. */
export class TickEnvelope {
  /** The session's id, made once for each session; letters and digits only. */
  session: SessionText = new SessionText('');
  /** Microseconds since the epoch. */
  receiveTime = 0;
  sequence = 0;
  conflated = 0;
  /**
   * Set by the writers: the offset of `conflated` in the target. It is one byte, a zero of the
   * format, when written by the hot path; a sink that conflates puts another count in its place.
   */
  conflatedAt = 0;
}

/** An Avro string of its own, for parts that are encoded once and copied often. */
export function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  const target = new Uint8Array(bytes.length + 5);
  const start = writeVarint(target, 0, bytes.length);
  target.set(bytes, start);
  return target.subarray(0, start + bytes.length);
}

/**
 * What every tick of one symbol's channel begins with: the Confluent header and the fields
 * `exchange, symbol, exchangeSymbol, producer`. Made once for each symbol and channel.
 */
export function encodeTickPrefix(
  schemaId: number,
  exchange: string,
  symbol: string,
  exchangeSymbol: string,
  producer: string,
): Uint8Array {
  const header = Buffer.alloc(CONFLUENT_HEADER_BYTES);
  header.writeUInt8(CONFLUENT_MAGIC, 0);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, ...[exchange, symbol, exchangeSymbol, producer].map(encodeText)]);
}

/** Writes a whole trade record; `target` has MAX_TICK_BYTES of room. Returns the offset behind it. */
export function writeTrade(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  trade: TradeDraft,
): number {
  let at = writeHead(target, offset, prefix, envelope, trade.exchangeTime);
  at = trade.price.writeAvro(target, at);
  at = trade.quantity.writeAvro(target, at);
  at = writeNullableDecimal(target, at, trade.contracts);
  target[at++] = trade.side << 1;
  at = writeRange(target, at, trade.tradeId);
  if (trade.fillCount === 0) {
    target[at++] = 0;
  } else {
    target[at++] = 2;
    at = writeVarint(target, at, trade.fillCount);
  }
  return at;
}

/** Writes a whole quote record; `target` has MAX_TICK_BYTES of room. Returns the offset behind it. */
export function writeQuote(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  quote: QuoteDraft,
): number {
  let at = writeHead(target, offset, prefix, envelope, quote.exchangeTime);
  at = writeNullableDecimal(target, at, quote.bidPrice);
  at = writeNullableDecimal(target, at, quote.bidQuantity);
  at = writeNullableDecimal(target, at, quote.askPrice);
  at = writeNullableDecimal(target, at, quote.askQuantity);
  at = writeNullableDecimal(target, at, quote.bidContracts);
  at = writeNullableDecimal(target, at, quote.askContracts);
  if (quote.updateId.isEmpty) {
    target[at++] = 0;
    return at;
  }
  target[at++] = 2;
  return writeRange(target, at, quote.updateId);
}

/** The fields from the prefix to `conflated`, the same in every tick. */
function writeHead(
  target: Uint8Array,
  offset: number,
  prefix: Uint8Array,
  envelope: TickEnvelope,
  exchangeTime: number,
): number {
  target.set(prefix, offset);
  let at = offset + prefix.length;
  const session = envelope.session.avro;
  target.set(session, at);
  at += session.length;
  if (exchangeTime === NO_TIME) {
    target[at++] = 0;
  } else {
    target[at++] = 2;
    at = writeVarint(target, at, exchangeTime);
  }
  at = writeVarint(target, at, envelope.receiveTime);
  at = writeVarint(target, at, envelope.sequence);
  envelope.conflatedAt = at;
  return writeVarint(target, at, envelope.conflated);
}

function writeNullableDecimal(target: Uint8Array, offset: number, decimal: Decimal): number {
  if (decimal.isNull) {
    target[offset] = 0;
    return offset + 1;
  }
  target[offset] = 2;
  return decimal.writeAvro(target, offset + 1);
}

function writeRange(target: Uint8Array, offset: number, range: ByteRange): number {
  const { bytes, start, end } = range;
  let at = writeVarint(target, offset, end - start);
  for (let from = start; from < end; from++) target[at++] = bytes[from]!;
  return at;
}

/** Avro's int and long for values from 0 to 2^52: zigzag, which doubles them as none is negative. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  return writeUnsignedVarint(target, offset, value * 2);
}
