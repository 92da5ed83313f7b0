import { contractSizeText } from '../contract-quantity.ts';
import { asRecord, asText } from '../control-frame.ts';
import { ListingError, type ListingSource } from '../exchange.ts';
import type { Instrument, InstrumentKind, InstrumentStatus } from '../instrument.ts';
import { canonicalSymbol, expiryOf, incrementText, listingEntries, readInstruments } from '../listing.ts';
import { fetchJson, restUrl } from '../rest.ts';

const PATH = '/api/v5/public/instruments';
const WANTED = `the answer of GET ${PATH}`;
const KINDS: Readonly<Record<string, InstrumentKind>> = {
  SPOT: 'spot',
  SWAP: 'perpetual',
  FUTURES: 'future',
};
const HALTED: ReadonlySet<string> = new Set(['suspend', 'preopen', 'rebase', 'settling', 'post_only']);

type Entry = Readonly<Record<string, unknown>>;

/** The spot listing: `GET /api/v5/public/instruments?instType=SPOT` (20 in 2 s). */
export async function fetchInstruments(source: ListingSource): Promise<Instrument[]> {
  const url = restUrl(source.endpoints.rest, PATH, { instType: 'SPOT' });
  return parseInstruments(await fetchJson(url, source));
}

/** Reads a saved answer, or an array of such answers (one for each instType); swaps and futures too. */
export function parseInstruments(answer: unknown): Instrument[] {
  const answers = Array.isArray(answer) ? answer : [answer];
  return readInstruments(answers.flatMap(entriesOf), 'okx', instrumentOf);
}

/** `code` says whether it succeeded, whatever the HTTP status. */
function entriesOf(answer: unknown): Entry[] {
  const document = asRecord(answer);
  if (document === null) throw new ListingError(`okx: not ${WANTED}`);
  if (document.code !== undefined && document.code !== '0') {
    throw new ListingError(`okx answered code ${document.code}: ${document.msg}`);
  }
  return listingEntries(document.data, 'okx', WANTED);
}

function instrumentOf(entry: Entry): Instrument | null {
  const exchangeSymbol = asText(entry.instId);
  const kind = KINDS[asText(entry.instType) ?? ''];
  if (exchangeSymbol === null || kind === undefined) return null;
  const pair = pairOf(entry, kind);
  if (pair === null) return null;
  const [base, quote] = pair;
  const inverse = entry.ctType === 'inverse';
  const settle = kind === 'spot' ? quote : (asText(entry.settleCcy) ?? (inverse ? base : quote));
  const expiry = kind === 'future' ? expiryOf(entry.expTime) : null;
  const contractSize =
    kind === 'spot' ? null : contractSizeText(asText(entry.ctVal) ?? '', asText(entry.ctMult) ?? '1');
  // A derivative whose contract is not worth anything known could not be counted in the base asset.
  if (kind !== 'spot' && contractSize === null) return null;
  const nativeStatus = asText(entry.state) ?? '';
  return {
    exchange: 'okx',
    symbol: canonicalSymbol({ kind, base, quote, settle, expiry }),
    exchangeSymbol,
    kind,
    base,
    quote,
    settle,
    status: statusOf(nativeStatus),
    nativeStatus,
    priceIncrement: incrementText(entry.tickSz),
    quantityIncrement: incrementText(entry.lotSz),
    contractSize,
    inverse,
    expiry,
  };
}

/** Base and quote; on derivatives they are empty and stand in the underlying. */
function pairOf(entry: Entry, kind: InstrumentKind): [base: string, quote: string] | null {
  if (kind === 'spot') {
    const base = asText(entry.baseCcy);
    const quote = asText(entry.quoteCcy);
    return base === null || quote === null ? null : [base, quote];
  }
  const [base = '', quote = ''] = (asText(entry.uly) ?? asText(entry.instFamily) ?? '').split('-');
  return base === '' || quote === '' ? null : [base, quote];
}

function statusOf(nativeStatus: string): InstrumentStatus {
  if (nativeStatus === 'live') return 'trading';
  return HALTED.has(nativeStatus) ? 'halted' : 'other';
}
