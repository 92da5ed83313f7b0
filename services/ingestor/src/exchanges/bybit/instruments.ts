import { asRecord, asText } from '../control-frame.ts';
import { ListingError, type ListingSource } from '../exchange.ts';
import type { Instrument, InstrumentKind, InstrumentStatus } from '../instrument.ts';
import {
  canonicalSymbol,
  expiryOf,
  incrementText,
  listingEntries,
  namesOf,
  readInstruments,
} from '../listing.ts';
import { fetchJson, restUrl } from '../rest.ts';

const WANTED = 'the answer of GET /v5/market/instruments-info';
const PATH = '/v5/market/instruments-info';
/** Spot comes in one page; a server that never ends its pages is not followed for ever. */
const MAX_PAGES = 50;

type Entry = Readonly<Record<string, unknown>>;

/** The spot listing: `GET /v5/market/instruments-info?category=spot`, by pages until the cursor is empty. */
export async function fetchInstruments(source: ListingSource): Promise<Instrument[]> {
  const entries: Entry[] = [];
  let cursor = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const query: Record<string, string> = { category: 'spot', limit: '1000' };
    if (cursor !== '') query.cursor = cursor;
    const result = resultOf(await fetchJson(restUrl(source.endpoints.rest, PATH, query), source));
    entries.push(...listingEntries(result.list, 'bybit-spot', WANTED));
    cursor = asText(result.nextPageCursor) ?? '';
    if (cursor === '') return readInstruments(entries, 'bybit-spot', instrumentOf);
  }
  throw new ListingError(`bybit-spot: the listing has more than ${MAX_PAGES} pages`);
}

/** Reads a saved answer of instruments-info, or an array of such answers (pages). */
export function parseInstruments(answer: unknown): Instrument[] {
  const pages = Array.isArray(answer) ? answer : [answer];
  const entries = pages.flatMap((page) => listingEntries(resultOf(page).list, 'bybit-spot', WANTED));
  return readInstruments(entries, 'bybit-spot', instrumentOf);
}

/** HTTP 200 does not mean success: `retCode` does. */
function resultOf(answer: unknown): Entry {
  const document = asRecord(answer);
  if (document === null) throw new ListingError(`bybit-spot: not ${WANTED}`);
  if (document.retCode !== undefined && document.retCode !== 0) {
    throw new ListingError(`bybit-spot answered retCode ${document.retCode}: ${document.retMsg}`);
  }
  const result = asRecord(document.result);
  if (result === null) throw new ListingError(`bybit-spot: not ${WANTED}`);
  return result;
}

function instrumentOf(entry: Entry): Instrument | null {
  const names = namesOf(entry, { symbol: 'symbol', base: 'baseCoin', quote: 'quoteCoin' });
  if (names === null) return null;
  const { base, quote } = names;
  const contract = asText(entry.contractType) ?? '';
  const kind = kindOf(contract);
  const inverse = contract.startsWith('Inverse');
  const settle = kind === 'spot' ? quote : (asText(entry.settleCoin) ?? (inverse ? base : quote));
  const expiry = kind === 'future' ? expiryOf(entry.deliveryTime) : null;
  const lot = asRecord(entry.lotSizeFilter);
  const nativeStatus = asText(entry.status) ?? '';
  return {
    exchange: 'bybit-spot',
    symbol: canonicalSymbol({ kind, base, quote, settle, expiry }),
    exchangeSymbol: names.symbol,
    kind,
    base,
    quote,
    settle,
    status: statusOf(nativeStatus),
    nativeStatus,
    priceIncrement: incrementText(asRecord(entry.priceFilter)?.tickSize),
    quantityIncrement: incrementText(lot?.basePrecision ?? lot?.qtyStep),
    // Linear sizes are in the base coin; an inverse contract is worth one US dollar.
    contractSize: inverse ? '1' : null,
    inverse,
    expiry,
  };
}

function kindOf(contract: string): InstrumentKind {
  if (contract === '') return 'spot';
  return contract.endsWith('Perpetual') ? 'perpetual' : 'future';
}

function statusOf(nativeStatus: string): InstrumentStatus {
  if (nativeStatus === 'Trading') return 'trading';
  return nativeStatus === 'PreLaunch' ? 'halted' : 'other';
}
