/** Bounds of the time between two attempts, in milliseconds. */
export interface RetryBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** A partition or broker that fails for a reason that passes by itself. */
export const PASSING: RetryBounds = { firstMs: 50, maxMs: 2_000 };
/** A partition that somebody has to do something about. */
export const SET_ASIDE: RetryBounds = { firstMs: 2_000, maxMs: 30_000 };

/**
 * How long to wait after the n-th failure in a row (from 1): doubling, capped, the upper half random so that
 * pods do not come back together.
 */
export function retryDelay(failures: number, bounds: RetryBounds, random: () => number): number {
  const ceiling = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(failures - 1, 30));
  return (ceiling / 2) * (1 + random());
}
