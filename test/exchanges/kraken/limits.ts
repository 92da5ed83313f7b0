import { type Limits, unlimited } from '../limits.ts';

/**
 * Kraken spot v2. Source: "Spot WebSocket introduction". The message rate has no documented figure ("varies with
 * load"); ours is an assumption, well above the 20 requests/s that known clients send.
 */
export const krakenLimits: Limits = {
  ...unlimited,
  messagesPerSecond: 50,
  connects: 150,
  connectWindowMs: 10 * 60_000,
  connectBanMs: 10 * 60_000,
  idleMs: 60_000,
  heartbeatMs: 1000,
  restRequests: 15,
  restWindowMs: 15_000,
};
