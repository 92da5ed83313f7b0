/** Time as the feed reads it; replaced in tests. */
export interface Clock {
  /** Milliseconds that never go back, for intervals and deadlines. */
  monotonic(): number;
  /** Milliseconds since 1970, for people and status. */
  epoch(): number;
  /** Microseconds since 1970 at the moment that `monotonic` read as `now`. */
  receiveTime(now: number): number;
}

/**
 * The system's clock in microseconds. `Date.now()` cuts to whole milliseconds and the performance
 * counter drifts from it, so the counter gives the fraction and each reading moves the estimate
 * into the millisecond that `Date.now()` names: never off by more than one.
 */
export function systemClock(): Clock {
  let origin = Date.now() - performance.now();
  return {
    monotonic: () => performance.now(),
    epoch: () => Date.now(),
    receiveTime(now) {
      const wall = Date.now();
      const estimate = origin + now;
      if (estimate < wall) origin = wall - now;
      else if (estimate >= wall + 1) origin = wall + 0.999 - now;
      return Math.floor((origin + now) * 1000);
    },
  };
}
