import type { FeedLimits, Heartbeat } from '../exchange.ts';

/** Binance spot, web-socket-streams.md; the documented figure stands beside ours. */
export const limits: FeedLimits = {
  /** Documented and quoted: 1024 streams. */
  topicsPerConnection: 900,
  topicCharactersPerConnection: Number.POSITIVE_INFINITY,
  /** Not documented; 200 names in one SUBSCRIBE were accepted. */
  topicsPerRequest: 100,
  requestBytes: 16_384,
  /**
   * Documented: 5 messages a second, pings and pongs counted, else disconnected and at last banned. The
   * feed keeps any one second at or below this, a pong included.
   */
  messagesPerSecond: 4,
  messageBurst: 1,
  messagesPerHour: Number.POSITIVE_INFINITY,
  /** Documented: 300 attempts in 5 minutes; at most 20 + 5 × 40 = 220. */
  connectBurst: 20,
  connectsPerMinute: 40,
  connections: Number.POSITIVE_INFINITY,
  /** Not documented; `!ticker@arr` is several hundred kB. */
  frameBytes: 16 * 1024 * 1024,
  /** Documented: cut after 24 hours. */
  sessionLifetimeMs: 23 * 3_600_000,
};

/** What the documentation allows, where it gives a figure. */
export const documentedLimits: Partial<FeedLimits> = {
  topicsPerConnection: 1024,
  messagesPerSecond: 5,
  connectsPerMinute: 60,
  sessionLifetimeMs: 24 * 3_600_000,
};

/** The server pings every 20 s and wants a pong within 60 s; `ws` answers. Our own ping only asks whether silence means death. */
export const heartbeat: Heartbeat = {
  kind: 'websocket',
  pingAfterMs: 25_000,
  pingWhen: 'silence',
  ping: () => '',
};
