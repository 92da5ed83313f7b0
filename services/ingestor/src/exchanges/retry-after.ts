const REFUSED_PAUSE_MS = 600_000;

/** `Retry-After`: seconds, or an HTTP date (RFC 9110 section 10.2.3). Null when absent or unreadable. */
export function retryAfterMs(header: string | undefined, epoch: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - epoch);
}

/**
 * How long to ask nothing at all, for an HTTP status that says so: what the exchange wants, or ten minutes where it
 * only refuses by address (Bybit's rate limit page and Kraken's "Spot WebSocket introduction": banned for 10). Null
 * for any other status.
 */
export function refusalPauseMs(status: number, header: string | undefined, epoch: number): number | null {
  if (status !== 403 && status !== 418 && status !== 429) return null;
  return retryAfterMs(header, epoch) ?? REFUSED_PAUSE_MS;
}
