import type { FeedLimits, Heartbeat } from '../exchange.ts';

/** Bybit v5 spot, docs/v5/websocket/wss-authentication.mdx and rate-limit.mdx; the documented figure stands beside ours. */
export const limits: FeedLimits = {
  /** Not documented as a count (10 is quoted, which is the cap of one request): the characters bind first. */
  topicsPerConnection: 1000,
  /** Documented: 21,000 characters of `args` on one connection. */
  topicCharactersPerConnection: 15_000,
  /** Documented for spot: 10 topics a request, `args size >10` beyond. */
  topicsPerRequest: 10,
  requestBytes: 16_384,
  /** Not documented; 200 requests in 7 ms were all acknowledged. */
  messagesPerSecond: 10,
  messageBurst: 10,
  messagesPerHour: Number.POSITIVE_INFINITY,
  /** Documented: 500 connections in 5 minutes; at most 20 + 5 × 56 = 300. */
  connectBurst: 20,
  connectsPerMinute: 56,
  /** Documented: 1000 at once of one address, spot counted by itself. */
  connections: 800,
  /** Not documented; 1024 trades in a message are some 200 kB. */
  frameBytes: 8 * 1024 * 1024,
  /** Not documented. */
  sessionLifetimeMs: 23 * 3_600_000,
};

/** What the documentation allows, where it gives a figure. */
export const documentedLimits: Partial<FeedLimits> = {
  topicCharactersPerConnection: 21_000,
  topicsPerRequest: 10,
  connectsPerMinute: 100,
  connections: 1000,
};

/** The client sends `{"op":"ping"}` every 20 s, whatever arrives; cut after 10 minutes without. */
export const heartbeat: Heartbeat = {
  kind: 'message',
  pingAfterMs: 20_000,
  pingWhen: 'always',
  ping: (request) => JSON.stringify({ req_id: String(request), op: 'ping' }),
};
