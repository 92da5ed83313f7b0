import type { ExchangeName } from '@tickline/schemas';

export type InstrumentKind = 'spot' | 'perpetual' | 'future';

/** Whether the exchange trades it now; `nativeStatus` has the exchange's own word. */
export type InstrumentStatus = 'trading' | 'halted' | 'other';

/** What is traded on an exchange, under both names. Decimals are plain text, exact. */
export interface Instrument {
  readonly exchange: ExchangeName;
  /** Canonical name, unique per exchange: `BTC-USDT`. */
  readonly symbol: string;
  /** The exchange's own name, as it stands in frames: `BTCUSDT`, `BTC/USDT`. */
  readonly exchangeSymbol: string;
  readonly kind: InstrumentKind;
  readonly base: string;
  readonly quote: string;
  readonly settle: string;
  readonly status: InstrumentStatus;
  readonly nativeStatus: string;
  readonly priceIncrement: string | null;
  readonly quantityIncrement: string | null;
  /** Base units (linear) or quote units (inverse) of one contract; null where quantities are in the base asset. */
  readonly contractSize: string | null;
  readonly inverse: boolean;
  /** Expiry in epoch milliseconds; null for spot and perpetuals. */
  readonly expiry: number | null;
}

/** An instrument in an InstrumentIndex: `slot` counts from 0 and never changes while the process lives. */
export interface IndexedInstrument extends Instrument {
  readonly slot: number;
}
