/** Waits between tries to fetch a listing, in milliseconds. */
const FIRST_MS = 1_000;
const MAX_MS = 30_000;
/** However long an exchange wants us away, it is asked again once a day. */
const MAX_PAUSE_MS = 86_400_000;

/**
 * How long to wait after the n-th failure in a row (from 1): doubling, capped, with jitter, and never less than the
 * exchange asked for. An address that goes on asking while it is banned is banned for longer (Binance, LIMITS).
 */
export function listingRetryMs(failures: number, pauseMs: number | null, random: () => number): number {
  const backoff = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30)) * (0.75 + random() / 2);
  return Math.min(MAX_PAUSE_MS, Math.max(backoff, pauseMs ?? 0));
}
