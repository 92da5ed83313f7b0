import type { IncomingMessage } from 'node:http';
import type { Instrument, Naming } from './catalogue.ts';
import type { Connection, Stream, Subscription } from './connection.ts';
import type { ExchangeFaults, FaultFrames } from './faults.ts';
import type { ExchangeName, LedgerStyle } from './ledger.ts';
import type { Limits, ViolationKind } from './limits.ts';
import type { Channel, MarketRules, Quote, Trade } from './market.ts';

/** What is fixed about an exchange: the same keys for all four, one folder each. */
export interface ExchangeTraits {
  readonly exchange: ExchangeName;
  /** Documented limits and timings. */
  readonly limits: Limits;
  readonly naming: Naming;
  readonly ledger: LedgerStyle;
  readonly market: MarketRules;
  readonly faultFrames: FaultFrames;
  /** HTTP status for a connection attempt beyond the limits. */
  readonly connectRefusal: number;
  readonly protocol: (host: ProtocolHost) => Protocol;
}

/** What a protocol may ask of the simulator. */
export interface ProtocolHost {
  readonly limits: Limits;
  readonly faults: ExchangeFaults;
  readonly instruments: readonly Instrument[];
  /** By native name. */
  readonly byName: ReadonlyMap<string, Instrument>;
  /**
   * Adds a subscription. `form` null, or an instrument that is unknown or not trading: acknowledged silence.
   * The caller writes the answer with `Connection.acknowledge`.
   */
  subscribe(
    connection: Connection,
    name: string,
    form: { readonly form: string; readonly channel: Channel } | null,
    instrument: Instrument | null,
  ): Subscription;
  /** Ends a subscription; false when there is none of this name. */
  unsubscribe(connection: Connection, name: string): boolean;
  /** Makes the instrument's market produce a quote now (the snapshot that follows a subscription). */
  quoteNow(instrument: Instrument): void;
  /** The latest trades of an instrument, oldest first, at most 50. */
  recentTrades(instrument: Instrument): readonly Trade[];
  /** Writes past trades to a subscription, entered in the ledger as a snapshot. */
  sendSnapshot(subscription: Subscription, text: string, trades: readonly Trade[]): void;
  violated(kind: ViolationKind, connection: Connection | null, detail: string): void;
  /** Notes a REST request of a weight; false when it is over the limit. */
  restAllowed(weight: number): boolean;
  /** A symbol was refused, or silently accepted although it is not listed. */
  refusedSymbol(name: string): void;
}

/** An answer over REST. */
export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How an exchange talks. */
export interface Protocol {
  /** Whether a WebSocket is served at this path. */
  accepts(url: URL): boolean;
  /** A connection was opened. */
  opened(connection: Connection, url: URL): void;
  /** A text message came in. */
  message(connection: Connection, text: string): void;
  /** A WebSocket ping (`payload`) came in; answered by the exchange, or not. */
  pinged?(connection: Connection, payload: Buffer): void;
  /** A WebSocket pong came in. */
  ponged?(connection: Connection, payload: string): void;
  /** Called every few dozen milliseconds for what happens with time: pings, heartbeats, cuts. */
  tick(connection: Connection, nowMs: number): void;
  /** Announces the end of the connection; false when the exchange has no such notice. */
  notice(connection: Connection): boolean;
  /** The frame of some trades of a stream, in a connection's variant. */
  tradesFrame(stream: Stream, trades: readonly Trade[], variant: number, nowMicros: number): string;
  /** The frame of a quote of a stream. `first`: the snapshot that follows the subscription. */
  quoteFrame(stream: Stream, quote: Quote, variant: number, nowMicros: number, first: boolean): string;
  /** Id of a trade in a stream's own id space. */
  tradeId(stream: Stream, trade: Trade): number;
  /** An exchange time in microseconds, cut to what a frame of this variant carries. */
  carriedTime(micros: number, variant: number): number;
  /** A well-formed frame of an unknown event type, or of a symbol that nobody asked for. */
  unknownFrame(what: 'event' | 'symbol', variant: number, nowMicros: number): string;
  /** Answers a REST request; null is 404. */
  rest(url: URL, request: IncomingMessage): RestAnswer | null;
}

/** A JSON answer with status 200. */
export function json(body: unknown, headers?: Readonly<Record<string, string>>): RestAnswer {
  return { status: 200, body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) };
}

/** A text as a JSON object; null when it is not one. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Whether a value is a list of texts. */
export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
