import { type Limits, unlimited } from '../limits.ts';

/**
 * OKX v5. Source: WebSocket overview ("Connect", "Connection limit"). No number of channels per connection is
 * documented: set `streamsPerConnection` to enforce one (close code 4008).
 */
export const okxLimits: Limits = {
  ...unlimited,
  requestsPerHour: 480,
  requestBytes: 64 * 1024,
  connects: 3,
  connectWindowMs: 1000,
  idleMs: 30_000,
  firstSubscribeMs: 30_000,
  repeatMs: 60_000,
  restRequests: 20,
  restWindowMs: 2000,
};
