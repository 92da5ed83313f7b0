import type { ExchangeName, QuoteDraft, TickChannel, TradeDraft, TradeIdRule } from '@tickline/schemas';
import type { IndexedInstrument, Instrument } from './instrument.ts';
import type { InstrumentIndex } from './instrument-index.ts';

/**
 * Everything the rest of the ingestor needs to know about an exchange. Endpoints and limits are
 * data; what differs in behaviour is in the few functions. A fifth exchange is one folder that
 * exports one of these, and one line in `registry.ts`.
 */
export interface Exchange {
  readonly name: ExchangeName;
  readonly channels: readonly TickChannel[];
  /** Production, public market data, no key. Base addresses: the exchange's own paths are appended by the functions below. */
  readonly endpoints: Endpoints;
  readonly limits: FeedLimits;
  readonly heartbeat: Heartbeat;
  /** What the exchange's trade ids prove about missing trades; used by gap detection and audit alike. */
  readonly tradeIds: TradeIdRule;
  /** Address of the market data socket below `endpoints.websocket`. */
  socketUrl(websocketBase: string): string;
  /** The name by which the exchange knows a subscription: `btcusdt@trade`, `publicTrade.BTCUSDT`. */
  topic(channel: TickChannel, instrument: Instrument): Topic;
  /** One request frame that subscribes all these topics; they share one `requestGroup`. */
  subscribe(topics: readonly Topic[], request: number): string;
  unsubscribe(topics: readonly Topic[], request: number): string;
  /** Decoder of received frames; stateless between frames, one for each exchange and process. */
  createDecoder(instruments: InstrumentIndex): FrameDecoder;
  /** Fetches the listing. Rejects with a ListingError when the exchange does not answer. */
  fetchInstruments(source: ListingSource): Promise<Instrument[]>;
  /** Reads a saved answer of the listing (`decode --instruments FILE`). Throws ListingError when it is not one. */
  parseInstruments(answer: unknown): Instrument[];
}

export interface Endpoints {
  /** `wss://host[:port]` without path. */
  readonly websocket: string;
  /** `https://host` without path. */
  readonly rest: string;
}

/** What we keep to; `documented` says what the exchange allows and people quote. All can be set in the configuration. */
export interface FeedLimits {
  /** Subscriptions on one connection. */
  readonly topicsPerConnection: number;
  /** Characters of all topic names on one connection (Bybit); Infinity where the exchange sets none. */
  readonly topicCharactersPerConnection: number;
  readonly topicsPerRequest: number;
  readonly requestBytes: number;
  /** Client messages on one connection: sustained rate, burst, and the cap in an hour (Infinity: none). */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly messagesPerHour: number;
  /** Connection attempts of this address: burst and sustained rate per minute. Divided by `sharedBy`. */
  readonly connectBurst: number;
  readonly connectsPerMinute: number;
  /** Open connections of this address at once. */
  readonly connections: number;
  /** Largest frame that we accept, bytes. */
  readonly frameBytes: number;
  /** Planned life of a session before it is replaced, milliseconds (Binance cuts at 24 h). */
  readonly sessionLifetimeMs: number;
}

/** How liveness is kept up. In every case any received frame counts as life. */
export interface Heartbeat {
  /**
   * `websocket`: the server pings, `ws` answers, and we ping by control frame when silent;
   * `message`: the exchange has its own ping message.
   */
  readonly kind: 'websocket' | 'message';
  /** Ping after this long. */
  readonly pingAfterMs: number;
  /** `always`: on this period whatever arrives; `silence`: only after so long without a received frame. */
  readonly pingWhen: 'always' | 'silence';
  /** Ping text for kind `message`. */
  ping(request: number): string;
}

export interface Topic {
  /** As the exchange writes it in acknowledgements and errors; unique on a connection. */
  readonly name: string;
  readonly channel: TickChannel;
  readonly instrument: Instrument;
  /** Only topics of one group may share a request (Kraken: one channel a request). */
  readonly requestGroup: string;
  /** What the topic adds to `topicCharactersPerConnection`. */
  readonly characters: number;
}

export interface ListingSource {
  readonly endpoints: Endpoints;
  /** Aborts when the pod stops. */
  readonly signal: AbortSignal;
  /** Milliseconds for one answer. */
  readonly timeoutMs: number;
}

export class ListingError extends Error {
  override name = 'ListingError';
  /** The exchange wants nothing to be asked for so long; null when it did not say so. */
  readonly pauseMs: number | null;

  constructor(message: string, options: ErrorOptions & { readonly pauseMs?: number | null } = {}) {
    super(message, options);
    this.pauseMs = options.pauseMs ?? null;
  }
}

/** Turns one frame into calls of the handler, synchronously. Never throws on bad input: it calls `invalid`. */
export interface FrameDecoder {
  /**
   * `bytes[start, end)` is one WebSocket text message. A frame that is not well-formed yields no tick; one
   * bad tick among several (Bybit, OKX, Kraken) yields the others and one `invalid`.
   */
  decode(bytes: Uint8Array, start: number, end: number, handler: FrameHandler): void;
}

/** Receives what a frame holds. Drafts are valid during the call only. */
export interface FrameHandler {
  trade(instrument: IndexedInstrument, trade: TradeDraft): void;
  quote(instrument: IndexedInstrument, quote: QuoteDraft): void;
  /** A well-formed data frame of a channel that carries no tick of ours (OKX `tickers`). */
  skipped(nativeChannel: string): void;
  control(control: Control): void;
  invalid(reason: InvalidReason, detail: string): void;
}

export const INVALID_REASONS = [
  'not-json',
  'unknown-type',
  'unknown-symbol',
  'missing-field',
  'invalid-price',
  'invalid-quantity',
  'invalid-field',
] as const;
export type InvalidReason = (typeof INVALID_REASONS)[number];

/** What an exchange says besides data. `request` is the id that we gave, null when the frame has none. */
export type Control =
  /** All topics of the request, or only those named. */
  | { kind: 'ack'; request: number | null; topics: readonly string[] | null }
  | { kind: 'unsubscribed'; request: number | null; topics: readonly string[] | null }
  /**
   * A request, or named topics of it, was refused. `scope` `topics`: only these; `request`: the whole
   * request was refused because of the named topics (Bybit): the others may be asked for again;
   * topics null: the culprit is not named. `reason` is the exchange's own text.
   */
  | {
      kind: 'rejected';
      request: number | null;
      topics: readonly string[] | null;
      scope: 'topics' | 'request';
      code: string | null;
      reason: string;
    }
  | { kind: 'pong' }
  | { kind: 'heartbeat' }
  /** The exchange's own state: `online`, `maintenance`, … */
  | { kind: 'status'; state: string }
  /** The exchange will close this connection soon: open the replacement first. */
  | { kind: 'shutdown'; reason: string }
  /** We send too fast: halve the rate. */
  | { kind: 'throttled'; reason: string }
  | { kind: 'error'; code: string | null; reason: string }
  /** Anything harmless that we only count (instrument snapshots, welcome messages). */
  | { kind: 'info'; subject: string };
