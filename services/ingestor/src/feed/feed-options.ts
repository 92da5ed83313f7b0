import type { TickChannel } from '@tickline/schemas';
import type { Endpoints, Exchange, FeedLimits } from '../exchanges/exchange.ts';
import type { IndexedInstrument } from '../exchanges/instrument.ts';
import type { BackoffSettings } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { FeedListener } from './feed.ts';
import type { HeartbeatSettings } from './heartbeat-monitor.ts';

/** Fields of a line; the names are those of the pod's log. */
export interface FeedLogFields {
  readonly exchange?: string;
  readonly connection?: string;
  readonly session?: string;
  readonly channel?: string;
  readonly symbol?: string;
  readonly reason?: string;
  readonly error?: unknown;
  readonly data?: Readonly<Record<string, string | number | boolean | null>>;
}

/** What the feed needs of the pod's log. Only changes of state are logged. */
export interface FeedLogger {
  /** `event`: a constant kebab-case name; `message`: one sentence. */
  info(event: string, message: string, fields?: FeedLogFields): void;
  warn(event: string, message: string, fields?: FeedLogFields): void;
  error(event: string, message: string, fields?: FeedLogFields): void;
  /** False when this event was logged often enough lately with this key. */
  admits(event: string, key: string): boolean;
}

/** All in milliseconds. */
export interface FeedTimings {
  /** From the dial to the answered upgrade. */
  readonly connectTimeoutMs: number;
  /** Between lost sessions of one connection. */
  readonly backoff: BackoffSettings;
  /** The backoff starts anew after a session whose stream lived this long. */
  readonly stableAfterMs: number;
  /**
   * No attempt to a host that answered an upgrade with 403, 418 or 429 without `Retry-After`
   * (Kraken and Bybit ban for 10 minutes); null: the usual backoff.
   */
  readonly refusedPauseMs: number | null;
  /** Least pause after close code 1008 (Binance: too many requests). */
  readonly policyPauseMs: number;
  /** A request without answer is sent once more after this, and taken as failed after it again. */
  readonly ackTimeoutMs: number;
  /** Between further attempts for topics that failed so. */
  readonly askAgain: BackoffSettings;
  /** Between further attempts for a topic that was rejected. */
  readonly rejectedAgain: BackoffSettings;
  /** At most one retry of what a rejection left of a request in this time. */
  readonly retryEveryMs: number;
  /** No request for so long after the exchange said that we send too fast. */
  readonly throttlePauseMs: number;
  /** A tenth of the sending rate comes back each time. */
  readonly throttleRecoveryMs: number;
  /** A planned replacement waits so long for first data after all is acknowledged. */
  readonly handoverSettleMs: number;
  /** A replacement that is not acknowledged by then is given up, and tried again later. */
  readonly handoverLimitMs: number;
  /** For unsubscribing and closing a replaced session. */
  readonly drainMs: number;
  /** Ticks usually at most this far apart: normally busy. */
  readonly busyIntervalMs: number;
  /** Least silence that makes a normally busy subscription stale where `dataSilenceMs` is Infinity. */
  readonly adaptiveSilenceMs: number;
  /** A whole channel that was never heard while another flows is stale after this. */
  readonly channelSilenceMs: number;
  /** Between resubscriptions of one silent topic. */
  readonly resubscribe: BackoffSettings;
}

export const FEED_TIMINGS: FeedTimings = {
  connectTimeoutMs: 10_000,
  backoff: { firstMs: 500, maxMs: 60_000 },
  stableAfterMs: 60_000,
  refusedPauseMs: 600_000,
  policyPauseMs: 10_000,
  ackTimeoutMs: 10_000,
  askAgain: { firstMs: 10_000, maxMs: 300_000 },
  rejectedAgain: { firstMs: 900_000, maxMs: 3_600_000 },
  retryEveryMs: 200,
  throttlePauseMs: 5_000,
  throttleRecoveryMs: 60_000,
  handoverSettleMs: 10_000,
  handoverLimitMs: 60_000,
  drainMs: 5_000,
  busyIntervalMs: 3_000,
  adaptiveSilenceMs: 60_000,
  channelSilenceMs: 300_000,
  resubscribe: { firstMs: 60_000, maxMs: 600_000 },
};

export const HEARTBEAT_SETTINGS: HeartbeatSettings = { timeoutMs: 30_000, checkEveryMs: 5_000 };

/** Least silence that makes a subscription stale; Infinity: adaptive, a quiet symbol is never stale for silence alone. */
export const DATA_SILENCE_MS: Readonly<Record<TickChannel, number>> = { quotes: 60_000, trades: Infinity };

/** What `createFeed` makes a feed of. */
export interface FeedOptions {
  readonly exchange: Exchange;
  /** Base addresses in force; `websocket` is used. */
  readonly endpoints: Endpoints;
  /** Limits in force: the exchange's own, with what the configuration sets. */
  readonly limits: FeedLimits;
  /** Default `HEARTBEAT_SETTINGS`. */
  readonly heartbeat?: HeartbeatSettings;
  /** Default `DATA_SILENCE_MS`. */
  readonly dataSilenceMs?: Readonly<Record<TickChannel, number>>;
  /** First and longest wait between lost sessions, and how long data must have flowed for it to start anew. */
  readonly backoff?: BackoffSettings & { readonly stableMs: number };
  /** Default: that of `FEED_TIMINGS`. */
  readonly ackTimeoutMs?: number;
  /** Over `FEED_TIMINGS`, and over the two above. */
  readonly timings?: Partial<FeedTimings>;
  readonly subscriptions: readonly {
    readonly channel: TickChannel;
    readonly instrument: IndexedInstrument;
  }[];
  readonly permessageDeflate: boolean;
  readonly listener: FeedListener;
  readonly logger: FeedLogger;
  /** How many pods share this address: limits per address are divided by it. */
  readonly sharedBy: number;
  /** In `[0, 1)`; default `Math.random`. */
  readonly random?: () => number;
  /** Default `systemClock()`. */
  readonly clock?: Clock;
}

/** The timings in force. */
export function feedTimings(options: Pick<FeedOptions, 'backoff' | 'ackTimeoutMs' | 'timings'>): FeedTimings {
  const { backoff = { ...FEED_TIMINGS.backoff, stableMs: FEED_TIMINGS.stableAfterMs } } = options;
  return {
    ...FEED_TIMINGS,
    backoff: { firstMs: backoff.firstMs, maxMs: backoff.maxMs },
    stableAfterMs: backoff.stableMs,
    ackTimeoutMs: options.ackTimeoutMs ?? FEED_TIMINGS.ackTimeoutMs,
    ...options.timings,
  };
}
