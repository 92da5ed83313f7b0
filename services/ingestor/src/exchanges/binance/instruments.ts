import { asRecord, asText } from '../control-frame.ts';
import { ListingError, type ListingSource } from '../exchange.ts';
import type { Instrument, InstrumentStatus } from '../instrument.ts';
import { canonicalSymbol, incrementText, listingEntries, namesOf, readInstruments } from '../listing.ts';
import { fetchJson, restUrl } from '../rest.ts';

const WANTED = 'the answer of GET /api/v3/exchangeInfo';
/** enums.md, "Symbol status". */
const HALTED: ReadonlySet<string> = new Set(['HALT', 'BREAK', 'END_OF_DAY', 'CANCEL_ONLY']);

/** The listing: `GET /api/v3/exchangeInfo` (weight 20 of 6000 a minute). */
export async function fetchInstruments(source: ListingSource): Promise<Instrument[]> {
  return parseInstruments(await fetchJson(restUrl(source.endpoints.rest, '/api/v3/exchangeInfo'), source));
}

/** Reads a saved answer of exchangeInfo. */
export function parseInstruments(answer: unknown): Instrument[] {
  const document = asRecord(answer);
  if (document === null) throw new ListingError(`binance: not ${WANTED}`);
  return readInstruments(listingEntries(document.symbols, 'binance', WANTED), 'binance', instrumentOf);
}

function instrumentOf(entry: Readonly<Record<string, unknown>>): Instrument | null {
  const names = namesOf(entry, { symbol: 'symbol', base: 'baseAsset', quote: 'quoteAsset' });
  if (names === null) return null;
  const { base, quote } = names;
  const nativeStatus = asText(entry.status) ?? '';
  return {
    exchange: 'binance',
    symbol: canonicalSymbol({ kind: 'spot', base, quote, settle: quote, expiry: null }),
    exchangeSymbol: names.symbol,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status: statusOf(nativeStatus),
    nativeStatus,
    priceIncrement: incrementText(filterOf(entry, 'PRICE_FILTER')?.tickSize),
    quantityIncrement: incrementText(filterOf(entry, 'LOT_SIZE')?.stepSize),
    contractSize: null,
    inverse: false,
    expiry: null,
  };
}

function filterOf(
  entry: Readonly<Record<string, unknown>>,
  type: string,
): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(entry.filters)) return undefined;
  return entry.filters.map(asRecord).find((filter) => filter?.filterType === type) ?? undefined;
}

function statusOf(nativeStatus: string): InstrumentStatus {
  if (nativeStatus === 'TRADING') return 'trading';
  return HALTED.has(nativeStatus) ? 'halted' : 'other';
}
