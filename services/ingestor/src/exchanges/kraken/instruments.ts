import { WebSocket } from 'ws';
import { asRecord, asText } from '../control-frame.ts';
import { ListingError, type ListingSource } from '../exchange.ts';
import type { Instrument, InstrumentStatus } from '../instrument.ts';
import { canonicalSymbol, incrementText, listingEntries, namesOf, readInstruments } from '../listing.ts';
import { describeCause } from '../rest.ts';
import { refusalPauseMs } from '../retry-after.ts';
import { limits } from './limits.ts';
import { socketUrl } from './requests.ts';

const WANTED = 'a snapshot of the channel "instrument" (the names of REST AssetPairs differ: XBT/USD)';
const REQUEST = JSON.stringify({
  method: 'subscribe',
  params: { channel: 'instrument', snapshot: true },
  req_id: 1,
});
const HALTED: ReadonlySet<string> = new Set([
  'cancel_only',
  'post_only',
  'limit_only',
  'reduce_only',
  'maintenance',
]);

/**
 * The listing, by the `instrument` channel on a short-lived socket: the same names as in the other
 * channels, which REST does not use. The attempt counts against the connection budget of the address.
 */
export async function fetchInstruments(source: ListingSource): Promise<Instrument[]> {
  const url = new URL(socketUrl(source.endpoints.websocket));
  return parseInstruments(await receiveSnapshot(url, source));
}

/** Reads a saved frame of the `instrument` channel, or the `data` of one. */
export function parseInstruments(answer: unknown): Instrument[] {
  const document = asRecord(answer);
  const data = asRecord(document?.data) ?? document;
  return readInstruments(listingEntries(data?.pairs, 'kraken', WANTED), 'kraken', instrumentOf);
}

function receiveSnapshot(url: URL, source: ListingSource): Promise<unknown> {
  const timeout = AbortSignal.timeout(source.timeoutMs);
  const signal = AbortSignal.any([source.signal, timeout]);
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown, pauseMs: number | null = null) =>
      reject(new ListingError(`${url.host} ${message}`, { cause, pauseMs }));
    if (signal.aborted) {
      fail('was not asked: the process stops');
      return;
    }
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: limits.frameBytes,
      handshakeTimeout: source.timeoutMs,
    });
    const abort = () => {
      fail(
        timeout.aborted ? `sent no listing within ${source.timeoutMs} ms` : 'was given up: the process stops',
      );
      socket.terminate();
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('open', () => socket.send(REQUEST));
    socket.on('message', (message: Buffer) => {
      const answer = snapshotIn(message);
      if (answer instanceof ListingError) fail(answer.message);
      else if (answer !== null) resolve(answer);
      else return;
      socket.close();
    });
    socket.on('unexpected-response', (_request, response) => {
      const retryAfter = response.headers['retry-after'];
      const hint = retryAfter === undefined ? '' : `, retry after ${retryAfter} s`;
      const status = response.statusCode ?? 0;
      fail(`answered HTTP ${status}${hint}`, undefined, refusalPauseMs(status, retryAfter, Date.now()));
      socket.terminate();
    });
    socket.on('error', (error) => fail(`could not be reached: ${describeCause(error)}`, error));
    socket.on('close', (code) => {
      signal.removeEventListener('abort', abort);
      fail(`closed the connection before it sent the listing (${code})`);
    });
  });
}

/** The snapshot, the refusal of our request, or null for frames that come before (status, acknowledgement). */
function snapshotIn(message: Buffer): unknown {
  let frame: ReturnType<typeof asRecord>;
  try {
    frame = asRecord(JSON.parse(message.toString('utf8')));
  } catch {
    return new ListingError('sent something that is not JSON');
  }
  if (frame?.channel === 'instrument' && frame.type === 'snapshot') return frame;
  if (frame?.method === 'subscribe' && frame.success === false) {
    return new ListingError(`refused the listing: ${asText(frame.error) ?? 'no text'}`);
  }
  return null;
}

function instrumentOf(entry: Readonly<Record<string, unknown>>): Instrument | null {
  const names = namesOf(entry, { symbol: 'symbol', base: 'base', quote: 'quote' });
  if (names === null) return null;
  const { base, quote } = names;
  const nativeStatus = asText(entry.status) ?? '';
  return {
    exchange: 'kraken',
    symbol: canonicalSymbol({ kind: 'spot', base, quote, settle: quote, expiry: null }),
    exchangeSymbol: names.symbol,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status: statusOf(nativeStatus),
    nativeStatus,
    priceIncrement: incrementText(entry.price_increment),
    quantityIncrement: incrementText(entry.qty_increment),
    contractSize: null,
    inverse: false,
    expiry: null,
  };
}

function statusOf(nativeStatus: string): InstrumentStatus {
  if (nativeStatus === 'online') return 'trading';
  return HALTED.has(nativeStatus) ? 'halted' : 'other';
}
