import type { ExchangeName } from '@tickline/schemas';
import { Decimal, MAX_SYMBOL_BYTES } from '@tickline/schemas';
import { asRecord, asText } from './control-frame.ts';
import { ListingError } from './exchange.ts';
import type { Instrument } from './instrument.ts';

type Entry = Readonly<Record<string, unknown>>;

/**
 * The entries of a listing's array as objects. Throws ListingError when the answer has no such array;
 * `wanted` says what it should be (`the answer of GET /api/v3/exchangeInfo`).
 */
export function listingEntries(list: unknown, exchange: ExchangeName, wanted: string): Entry[] {
  if (!Array.isArray(list)) throw new ListingError(`${exchange}: not ${wanted}`);
  return list.map(asRecord).filter((entry) => entry !== null);
}

/**
 * Instruments from the entries that `read` understands. An entry that lacks its names, or whose names
 * are longer than a record takes, is left out: one bad line must not hide the others. Throws
 * ListingError when entries were there and none was understood.
 */
export function readInstruments(
  entries: readonly Entry[],
  exchange: ExchangeName,
  read: (entry: Entry) => Instrument | null,
): Instrument[] {
  const instruments = entries
    .map(read)
    .filter((instrument) => instrument !== null)
    .filter(({ symbol, exchangeSymbol }) => fits(symbol) && fits(exchangeSymbol));
  if (entries.length > 0 && instruments.length === 0) {
    throw new ListingError(`${exchange}: none of ${entries.length} entries of the listing was understood`);
  }
  return instruments;
}

/** Names that every exchange's entry must have; null when one is missing. */
export function namesOf(
  entry: Entry,
  keys: { symbol: string; base: string; quote: string },
): { symbol: string; base: string; quote: string } | null {
  const symbol = asText(entry[keys.symbol]);
  const base = asText(entry[keys.base]);
  const quote = asText(entry[keys.quote]);
  return symbol === null || base === null || quote === null ? null : { symbol, base, quote };
}

/**
 * A positive decimal as plain exact text (`1e-08` → `0.00000001`), from text or from a number whose
 * shortest form is what was written; null when it is none.
 */
export function incrementText(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const decimal = new Decimal();
  return decimal.parseText(String(value)) && decimal.isPositive ? decimal.toString() : null;
}

/** Epoch milliseconds from digits or a number; null for none, `0` and anything else. */
export function expiryOf(value: unknown): number | null {
  const milliseconds = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof milliseconds === 'number' && Number.isSafeInteger(milliseconds) && milliseconds > 0
    ? milliseconds
    : null;
}

/** The canonical symbol: `BTC-USDT`, `BTC-USDT-PERP`, `BTC-USD-PERP:BTC`, `BTC-USDT-20261225`. */
export function canonicalSymbol(
  instrument: Pick<Instrument, 'kind' | 'base' | 'quote' | 'settle' | 'expiry'>,
): string {
  const { kind, base, quote, settle, expiry } = instrument;
  const pair = `${base}-${quote}`;
  if (kind === 'spot') return pair;
  const term = kind === 'perpetual' || expiry === null ? 'PERP' : utcDate(expiry);
  return `${pair}-${term}${settle === quote ? '' : `:${settle}`}`;
}

/** `20261225` */
function utcDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10).replaceAll('-', '');
}

function fits(name: string): boolean {
  return Buffer.byteLength(name) <= MAX_SYMBOL_BYTES;
}
