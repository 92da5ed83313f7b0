import { fixedText, trimmedText } from './decimal-text.ts';

/** An instrument of a simulated exchange. Everything about its numbers is an integer and a scale. */
export interface Instrument {
  /** Position in the catalogue, from 0: also its rank in the Zipf-like popularity. */
  readonly rank: number;
  /** Native name, as in REST listings and payloads. */
  readonly native: string;
  readonly base: string;
  readonly quote: string;
  /** Decimal digits of prices; the tick size is `tickUnits × 10^-priceScale`. */
  readonly priceScale: number;
  readonly tickUnits: number;
  /** Price at start, in ticks. */
  readonly startTicks: number;
  /** Decimal digits of quantities; the lot size is `10^-quantityScale`. */
  readonly quantityScale: number;
  /**
   * Quantities are a whole number of `quantityStride` lots. It is 1 except for an instrument whose quantities
   * need more digits than a double holds: there it keeps our own integers below 2^53.
   */
  readonly quantityStride: number;
  /** Smallest and one above the largest quantity of a trade, in strides. */
  readonly quantityFrom: number;
  readonly quantitySpan: number;
  /** False: listed with another status, acknowledged, never any data. */
  readonly trading: boolean;
}

/** What differs between the exchanges' catalogues. */
export interface Naming {
  /** Native name of a pair. */
  readonly native: (base: string, quote: string) => string;
  readonly mainQuote: string;
  /** Further real pairs after the first ones. */
  readonly crosses: readonly (readonly [base: string, quote: string])[];
  /** Names that real exchanges list and that break careless code; appended from 30 symbols on. */
  readonly oddBases: readonly string[];
  /** Digits of the price of BTC; the other well-known ones follow. */
  readonly btcPriceScale: number;
  /** Digits of the quantity of well-known assets. */
  readonly quantityScale: number;
  /** Most digits that this exchange gives. */
  readonly maxScale: number;
}

interface Profile {
  readonly priceScale: number;
  readonly tickUnits: number;
  readonly startTicks: number;
  readonly quantityScale: number;
  readonly stride?: number;
  readonly from?: number;
}

/** Price at start in units of `10^-scale`. Exchanges that give BTC fewer digits give others at two digits fewer too. */
const wellKnown: readonly (readonly [base: string, price: number, scale: number])[] = [
  ['BTC', 6425011, 2],
  ['ETH', 341207, 2],
  ['SOL', 15233, 2],
  ['XRP', 21874, 4],
  ['BNB', 61230, 2],
  ['DOGE', 18235, 5],
  ['ADA', 6612, 4],
  ['TRX', 31450, 5],
  ['AVAX', 2411, 2],
  ['LINK', 1732, 2],
  ['DOT', 4115, 3],
  ['LTC', 9271, 2],
  ['BCH', 48120, 2],
  ['SHIB', 1297, 8],
  ['PEPE', 1043, 8],
  ['UNI', 7891, 3],
  ['XLM', 28741, 5],
  ['ATOM', 4402, 3],
  ['XTZ', 7033, 4],
  ['ZRX', 2411, 4],
];

/** Tick and lot forms of the made-up assets, in turn: powers of ten, 0.05, 0.000025, whole numbers, 1e-8, 1e-10. */
const profiles: readonly Profile[] = [
  { priceScale: 4, tickUnits: 1, startTicks: 12345, quantityScale: 2 },
  { priceScale: 8, tickUnits: 1, startTicks: 123_400, quantityScale: 0 },
  { priceScale: 2, tickUnits: 5, startTicks: 6249, quantityScale: 4 },
  { priceScale: 0, tickUnits: 1, startTicks: 65_432, quantityScale: 8 },
  { priceScale: 3, tickUnits: 1, startTicks: 1230, quantityScale: 1 },
  { priceScale: 6, tickUnits: 25, startTicks: 4711, quantityScale: 3 },
  { priceScale: 10, tickUnits: 1, startTicks: 12_345, quantityScale: 0 },
  { priceScale: 8, tickUnits: 1, startTicks: 1043, quantityScale: 8, stride: 7, from: 1_763_668_414_462_081 },
  { priceScale: 1, tickUnits: 5, startTicks: 20_011, quantityScale: 6 },
];

/**
 * The catalogue of an exchange: `symbols` trading instruments (real names first, then the exchange's odd ones, then
 * `SIM0001`, `SIM0002` …) and after them a few that are not trading (one in fifty, at least one, at most ten).
 */
export function catalogue(symbols: number, naming: Naming): Instrument[] {
  const instruments: Instrument[] = [];
  const taken = new Set<string>();
  const add = (base: string, quote: string, profile: Profile, trading: boolean): void => {
    const native = naming.native(base, quote);
    if (taken.has(native)) return;
    taken.add(native);
    const clip = Math.max(0, profile.priceScale - naming.maxScale);
    instruments.push({
      rank: instruments.length,
      native,
      base,
      quote,
      priceScale: profile.priceScale - clip,
      tickUnits: profile.tickUnits,
      startTicks: profile.startTicks,
      quantityScale: Math.min(profile.quantityScale, naming.maxScale),
      quantityStride: profile.stride ?? 1,
      quantityFrom: profile.from ?? 1,
      quantitySpan: profile.stride === undefined ? 10 ** Math.min(9, profile.quantityScale + 2) : 0x7fff_ffff,
      trading,
    });
  };
  const shift = 2 - naming.btcPriceScale;
  const known = (price: number, scale: number): Profile => {
    const fewer = scale <= 2 ? shift : 0;
    return {
      priceScale: scale - fewer,
      tickUnits: 1,
      startTicks: Math.floor(price / 10 ** fewer),
      quantityScale: naming.quantityScale,
    };
  };
  for (const [base, price, scale] of wellKnown) {
    if (instruments.length >= symbols) break;
    add(base, naming.mainQuote, known(price, scale), true);
  }
  for (const [base, quote] of naming.crosses) {
    if (instruments.length >= symbols) break;
    const [, price, scale] = wellKnown.find(([name]) => name === base && quote !== 'BTC') ?? [base, 5311, 5];
    add(base, quote, known(price, scale), true);
  }
  if (symbols >= 30) {
    for (const [position, base] of naming.oddBases.entries()) {
      add(base, naming.mainQuote, profiles[position % profiles.length]!, true);
    }
  }
  for (let number = 1; instruments.length < symbols; number++) {
    const base = `SIM${String(number).padStart(4, '0')}`;
    add(base, naming.mainQuote, profiles[number % profiles.length]!, true);
  }
  const resting = Math.min(10, Math.max(1, Math.floor(symbols / 50)));
  for (let number = 1; number <= resting; number++) {
    add(`REST${String(number).padStart(2, '0')}`, naming.mainQuote, profiles[0]!, false);
  }
  return instruments;
}

/** The tick size as plain text without trailing zeros. */
export function tickSizeText(instrument: Instrument): string {
  return trimmedText(instrument.tickUnits, instrument.priceScale);
}

/** The lot size as plain text without trailing zeros. */
export function lotSizeText(instrument: Instrument): string {
  return trimmedText(1, instrument.quantityScale);
}

/** A price of so many ticks, in units of `10^-priceScale`. */
export function priceUnits(instrument: Instrument, ticks: number): number {
  return ticks * instrument.tickUnits;
}

/** A quantity of so many strides, in lots; a bigint where a number could not hold it. */
function quantityUnits(instrument: Instrument, strides: number): number | bigint {
  return instrument.quantityStride === 1 ? strides : BigInt(strides) * BigInt(instrument.quantityStride);
}

/** How an exchange prints a number: padded to a fixed count of digits, to the instrument's own, or trimmed. */
export interface NumberStyle {
  readonly price: (instrument: Instrument, ticks: number) => string;
  readonly quantity: (instrument: Instrument, strides: number) => string;
}

/** Padded to `digits` after the point, whatever the instrument (Binance). */
export function paddedTo(digits: number): NumberStyle {
  return {
    price: (i, ticks) => fixedText(priceUnits(i, ticks), i.priceScale, digits),
    quantity: (i, strides) => fixedText(quantityUnits(i, strides), i.quantityScale, digits),
  };
}

/** With exactly the instrument's digits (Kraken). */
export const instrumentDigits: NumberStyle = {
  price: (i, ticks) => fixedText(priceUnits(i, ticks), i.priceScale),
  quantity: (i, strides) => fixedText(quantityUnits(i, strides), i.quantityScale),
};

/** Without trailing zeros (OKX, Bybit). */
export const trimmed: NumberStyle = {
  price: (i, ticks) => trimmedText(priceUnits(i, ticks), i.priceScale),
  quantity: (i, strides) => trimmedText(quantityUnits(i, strides), i.quantityScale),
};
