import type { FeedLimits, Heartbeat } from '../exchange.ts';

/** OKX v5, "WebSocket overview"; the documented figure stands beside ours. */
export const limits: FeedLimits = {
  /** Quoted: 240. Documented: no number, but close codes 4008 and 4009 for too many. */
  topicsPerConnection: 240,
  topicCharactersPerConnection: Number.POSITIVE_INFINITY,
  topicsPerRequest: 300,
  /** Documented: 64 KB of arguments. */
  requestBytes: 32_768,
  messagesPerSecond: 3,
  messageBurst: 3,
  /** Documented: 480 requests an hour and connection; 60 are kept back for resubscriptions. */
  messagesPerHour: 420,
  /** Documented: 3 connections a second; 60 s ÷ 2 a second. */
  connectBurst: 1,
  connectsPerMinute: 120,
  connections: Number.POSITIVE_INFINITY,
  /** Not documented. */
  frameBytes: 8 * 1024 * 1024,
  /** Not documented. */
  sessionLifetimeMs: 23 * 3_600_000,
};

/** What the documentation allows, where it gives a figure. */
export const documentedLimits: Partial<FeedLimits> = {
  requestBytes: 65_536,
  messagesPerHour: 480,
  connectsPerMinute: 180,
};

/** The text `ping`, not JSON, after 20 s without a frame: the server drops a connection at 30 s. */
export const heartbeat: Heartbeat = {
  kind: 'message',
  pingAfterMs: 20_000,
  pingWhen: 'silence',
  ping: () => 'ping',
};
