import { Decimal } from './decimal.ts';

/** Marks a time that the exchange did not give, in the drafts only; records carry null. */
export const NO_TIME = -1;

/**
 * A range of bytes of the frame being decoded. It is valid only during the call that hands it over:
 * who needs it later copies it.
 */
export class ByteRange {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** No value: the exchange gives none. */
  clear(): void {
    this.start = 0;
    this.end = 0;
  }

  get isEmpty(): boolean {
    return this.start === this.end;
  }

  toString(): string {
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.start,
      this.end - this.start,
    ).toString();
  }
}

/** The side of the aggressor, as the Avro enum's index. */
export const SIDE_BUY = 0;
export const SIDE_SELL = 1;
export type SideIndex = typeof SIDE_BUY | typeof SIDE_SELL;
export const SIDES = ['buy', 'sell'] as const;

/**
 * A decoded trade before it is numbered. One instance is filled again for each trade: nothing
 * downstream of the decoder keeps a reference to it or to its parts.
 */
export class TradeDraft {
  /** Microseconds since the epoch, or NO_TIME. */
  exchangeTime = NO_TIME;
  readonly price: Decimal = new Decimal();
  /** In the base asset; null (`isNull`) only when the instrument's contract size is unknown (`decode --any-instrument`). */
  readonly quantity: Decimal = new Decimal();
  /** Null where the exchange counts in the base asset. */
  readonly contracts: Decimal = new Decimal();
  side: SideIndex = SIDE_BUY;
  readonly tradeId: ByteRange = new ByteRange();
  /** How many fills the trade covers; 0 when the exchange does not say. */
  fillCount = 0;
}

/** A decoded best bid and offer before it is numbered; filled again for each quote, like TradeDraft. */
export class QuoteDraft {
  /** Microseconds since the epoch, or NO_TIME. */
  exchangeTime = NO_TIME;
  /** A side that is empty is null (`isNull`), price and quantity both. */
  readonly bidPrice: Decimal = new Decimal();
  readonly bidQuantity: Decimal = new Decimal();
  readonly askPrice: Decimal = new Decimal();
  readonly askQuantity: Decimal = new Decimal();
  /** Null where the exchange counts in the base asset. */
  readonly bidContracts: Decimal = new Decimal();
  readonly askContracts: Decimal = new Decimal();
  /** Empty where the exchange gives none (Kraken). */
  readonly updateId: ByteRange = new ByteRange();
}
