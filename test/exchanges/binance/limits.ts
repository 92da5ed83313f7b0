import { type Limits, unlimited } from '../limits.ts';

/** Binance spot. Source: `web-socket-streams.md` "Websocket Limits" and `rest-api.md` "LIMITS". */
export const binanceLimits: Limits = {
  ...unlimited,
  streamsPerConnection: 1024,
  messagesPerSecond: 5,
  connects: 300,
  connectWindowMs: 5 * 60_000,
  pingIntervalMs: 20_000,
  pongDeadlineMs: 60_000,
  lifetimeMs: 24 * 3_600_000,
  restRequests: 6000,
  restWindowMs: 60_000,
};
