import type { ExchangeName, TickChannel } from './names.ts';

/** States of a connection's transport, in the order of a session's life. */
export type ConnectionState = 'connecting' | 'open' | 'backing-off' | 'closed';

/** States of a subscription: (connection, channel, symbol). */
export type SubscriptionState = 'requested' | 'acknowledged' | 'live' | 'stale' | 'rejected';

/** One WebSocket slot of the pod, as the sidecar sees it. Times are epoch milliseconds. */
export interface ConnectionStatus {
  exchange: ExchangeName;
  /** Stable for the pod's life: `binance-0`, `binance-1`, … */
  connection: string;
  state: ConnectionState;
  /** The session's random id; null while there is none. */
  session: string | null;
  openedAt: number | null;
  lastFrameAt: number | null;
  lastDataAt: number | null;
  messages: number;
  /** Reconnects by reason since the pod started. */
  reconnects: Record<string, number>;
  subscriptions: Record<SubscriptionState, number>;
}

/** A subscription that is not live, by name; live ones are only counted. */
export interface SubscriptionStatus {
  exchange: ExchangeName;
  connection: string | null;
  channel: TickChannel;
  symbol: string;
  state: SubscriptionState;
  since: number;
  reason: string | null;
}

export interface SinkStatus {
  sink: string;
  healthy: boolean;
  detail: string | null;
  queuedRecords: number;
  queuedBytes: number;
  queueLimitBytes: number;
  acknowledged: number;
  dropped: number;
}

export interface ExchangeStatus {
  exchange: ExchangeName;
  /** Distinct (symbol, channel) pairs that this pod owns. */
  owned: number;
  messages: number;
  ticks: number;
  invalid: number;
  gaps: number;
  reconnects: number;
  /** Receive time minus exchange time in the last interval; null when nothing carried a time. */
  latencyMs: { p50: number; p99: number } | null;
}

/** Answer of the ingestor's `GET /status`: what the sidecar polls. */
export interface PodStatus {
  version: string;
  producer: string;
  pid: number;
  startedAt: number;
  now: number;
  phase: 'starting' | 'running' | 'draining';
  shard: { index: number; count: number };
  /** Owned subscriptions are all acknowledged, live, or rejected and reported; and the sinks answer. Latched. */
  ready: boolean;
  cpuSeconds: number;
  rssBytes: number;
  exchanges: ExchangeStatus[];
  connections: ConnectionStatus[];
  /** At most 1,000 that are not live. */
  notLive: SubscriptionStatus[];
  sinks: SinkStatus[];
}
