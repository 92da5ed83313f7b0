import type { FeedLimits, Heartbeat } from '../exchange.ts';

/** Kraken spot v2, "Spot WebSocket introduction"; the documented figure stands beside ours. */
export const limits: FeedLimits = {
  /**
   * Not documented for these channels (200 symbols for level3). A hundred topics, of whatever
   * channel, keep any connection below 100 symbols a channel.
   */
  topicsPerConnection: 100,
  topicCharactersPerConnection: Number.POSITIVE_INFINITY,
  topicsPerRequest: 50,
  requestBytes: 16_384,
  /** Not documented: it varies with load, and too fast is answered by "Exceeded msg rate". */
  messagesPerSecond: 5,
  messageBurst: 5,
  messagesPerHour: Number.POSITIVE_INFINITY,
  /** Documented: about 150 attempts of one address in 10 minutes, then banned for 10; at most 5 + 10 × 10. */
  connectBurst: 5,
  connectsPerMinute: 10,
  connections: Number.POSITIVE_INFINITY,
  /** Not documented; the instrument snapshot is some 2 MB. */
  frameBytes: 16 * 1024 * 1024,
  /** Not documented. */
  sessionLifetimeMs: 23 * 3_600_000,
};

/** What the documentation allows, where it gives a figure. */
export const documentedLimits: Partial<FeedLimits> = {
  connectsPerMinute: 15,
};

/** A ping after 5 s of silence: Kraken closes after about a minute without activity, and beats once a second itself. */
export const heartbeat: Heartbeat = {
  kind: 'message',
  pingAfterMs: 5_000,
  pingWhen: 'silence',
  ping: (request) => JSON.stringify({ method: 'ping', req_id: request }),
};
