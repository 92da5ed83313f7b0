import { type Limits, unlimited } from '../limits.ts';

/** Bybit v5 spot. Source: "Connect" (`/v5/ws/connect`) and "Rate Limit Rules". */
export const bybitLimits: Limits = {
  ...unlimited,
  argsPerRequest: 10,
  argsCharacters: 21_000,
  connects: 500,
  connectWindowMs: 5 * 60_000,
  connectBanMs: 0,
  connections: 1000,
  idleMs: 10 * 60_000,
  repeatMs: 3000,
  restRequests: 600,
  restWindowMs: 5000,
};
