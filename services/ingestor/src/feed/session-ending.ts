import { saysTooManyTopics } from './exchange-texts.ts';

/** How a session ended, as its socket saw it. */
export interface SessionEnding {
  /**
   * Short and of few values, for counts: `closed-1006`, `error`, `connect`, `refused-429`, `silent`,
   * `data-silent`, `shutdown`, `lifetime`, `too-many-topics`, `stop`.
   */
  readonly reason: string;
  /** For people: the exchange's text, the host and the cause. */
  readonly detail: string;
  /** WebSocket close code; null when there was no close frame to read. */
  readonly code: number | null;
  /** HTTP status of a refused upgrade; null otherwise. */
  readonly status: number | null;
  /** `Retry-After` of a refused upgrade, milliseconds; null when absent. */
  readonly retryAfterMs: number | null;
}

export function ending(reason: string, detail: string): SessionEnding {
  return { reason, detail, code: null, status: null, retryAfterMs: null };
}

/** What an ending asks of us beyond the usual backoff. */
export type Remedy =
  /** Nothing: come back with backoff. */
  | 'backoff'
  /** The exchange put up with fewer topics on a connection than we asked for. */
  | 'fewer-topics'
  /** We broke a rule of sending: come back later and slower. */
  | 'slower'
  /** This address is not wanted for now: no attempt at all to that host. */
  | 'pause-host';

/**
 * Close codes: OKX 4008 and 4009 "subscribed channels exceed the maximum" (OKX, WebSocket
 * disconnection codes); 1008 is Binance's "too many requests" and "too many subscriptions". HTTP
 * 403, 418 and 429 on the upgrade: banned or limited by address (Binance LIMITS, Bybit rate limit
 * page, Kraken behind Cloudflare).
 */
export function remedyFor(end: SessionEnding): Remedy {
  if (end.status === 403 || end.status === 418 || end.status === 429) return 'pause-host';
  if (end.reason === 'too-many-topics' || end.code === 4008 || end.code === 4009) return 'fewer-topics';
  if (end.code === 1008) return saysTooManyTopics(end.detail) ? 'fewer-topics' : 'slower';
  return 'backoff';
}
