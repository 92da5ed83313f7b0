import type { ExchangeName } from './ledger.ts';

/**
 * The limits and timings that a simulated exchange enforces: one table per exchange in `<exchange>/limits.ts`, with
 * the documented figures as defaults; each can be overridden. `Infinity` means "not enforced".
 */
export interface Limits {
  /** Subscribed streams (Binance), topics (Bybit), channels (OKX) or channel-symbol pairs (Kraken) of a connection. */
  readonly streamsPerConnection: number;
  /** Arguments of one subscribe request. */
  readonly argsPerRequest: number;
  /** Characters of the subscribed arguments of a connection, counted as `length + 3` each. */
  readonly argsCharacters: number;
  /** Client messages in any second; what counts as one is the exchange's affair. */
  readonly messagesPerSecond: number;
  /** Subscribe and unsubscribe requests of a connection in any hour. */
  readonly requestsPerHour: number;
  /** Bytes of one client message. */
  readonly requestBytes: number;
  /** Connection attempts in any `connectWindowMs`. */
  readonly connects: number;
  readonly connectWindowMs: number;
  /** How long every attempt is refused once the window was overrun. */
  readonly connectBanMs: number;
  /** Simultaneous connections. */
  readonly connections: number;
  /** Server pings (WebSocket control frames) every so often. */
  readonly pingIntervalMs: number;
  /** A server ping must be answered within this time. */
  readonly pongDeadlineMs: number;
  /** A connection is cut after this time of silence; what breaks the silence is the exchange's affair. */
  readonly idleMs: number;
  /** The first subscribe request must come within this time. */
  readonly firstSubscribeMs: number;
  /** A connection is closed at this age. */
  readonly lifetimeMs: number;
  /** A heartbeat is sent after this time without data on a subscribed connection. */
  readonly heartbeatMs: number;
  /** An unchanged quote is sent again after this time. */
  readonly repeatMs: number;
  /** REST requests (or weight) in any `restWindowMs`. */
  readonly restRequests: number;
  readonly restWindowMs: number;
  /** Bytes that may wait in a connection's buffer before the client counts as too slow. */
  readonly outboundBytes: number;
}

/** Nothing enforced: what a table starts from. */
export const unlimited: Limits = {
  streamsPerConnection: Infinity,
  argsPerRequest: Infinity,
  argsCharacters: Infinity,
  messagesPerSecond: Infinity,
  requestsPerHour: Infinity,
  requestBytes: Infinity,
  connects: Infinity,
  connectWindowMs: 1000,
  connectBanMs: 0,
  connections: Infinity,
  pingIntervalMs: Infinity,
  pongDeadlineMs: Infinity,
  idleMs: Infinity,
  firstSubscribeMs: Infinity,
  lifetimeMs: Infinity,
  heartbeatMs: Infinity,
  repeatMs: Infinity,
  restRequests: Infinity,
  restWindowMs: 1000,
  outboundBytes: 64 * 1024 * 1024,
};

/** Which rule a client broke. */
export type ViolationKind =
  | 'streams-per-connection'
  | 'args-per-request'
  | 'args-characters'
  | 'message-rate'
  | 'requests-per-hour'
  | 'request-bytes'
  | 'connect-rate'
  | 'connections'
  | 'pong-deadline'
  | 'idle'
  | 'no-subscription'
  | 'rest-rate'
  | 'slow-consumer'
  | 'invalid-json'
  | 'invalid-request';

/** One broken rule. Being refused an unknown symbol is not one: see `SimulatorStats.refusedSymbols`. */
export interface Violation {
  readonly exchange: ExchangeName;
  readonly kind: ViolationKind;
  /** The connection, or null for a connection attempt or a REST request. */
  readonly connection: string | null;
  /** Microseconds since 1970. */
  readonly time: number;
  readonly detail: string;
}

/** Counts events in a sliding window: the strictest reading of "so many per time". */
export class SlidingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  #times: number[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Notes `weight` events at `nowMs`; false when that makes more than the limit within the window. */
  hit(nowMs: number, weight = 1): boolean {
    if (this.#limit === Infinity) return true;
    const oldest = nowMs - this.#windowMs;
    let expired = 0;
    while (expired < this.#times.length && this.#times[expired]! <= oldest) expired++;
    if (expired > 0) this.#times = this.#times.slice(expired);
    for (let n = 0; n < weight; n++) this.#times.push(nowMs);
    return this.#times.length <= this.#limit;
  }

  /** How many events the window holds. */
  get count(): number {
    return this.#times.length;
  }
}
