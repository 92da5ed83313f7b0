/** How long a least value is kept, at least. */
const WINDOW_MS = 60_000;

/**
 * The least of the latest latencies, which tells a wrong clock from a slow exchange: the fastest of thousands
 * of messages takes a few milliseconds, so that a value below zero says that our clock is behind the
 * exchange's, and one of seconds that it is ahead. `observe` is a comparison.
 */
export class LeastLatency {
  // In an array, because a double in a plain field may be boxed anew at each store.
  private readonly least = Float64Array.of(Number.POSITIVE_INFINITY);
  private former: number = Number.POSITIVE_INFINITY;
  private since: number;

  /** `now`: of the same clock as `read`'s, milliseconds. */
  constructor(now: number) {
    this.since = now;
  }

  /** Receive time minus exchange time, microseconds; below zero when the exchange's clock is ahead of ours. */
  observe(micros: number): void {
    if (micros < this.least[0]!) this.least[0] = micros;
  }

  /**
   * The least since the last reading that was a minute or more ago, and of the time before it up to the one
   * that was a minute before that: readers that come more often see the same. Microseconds; null when nothing
   * was observed.
   */
  read(now: number): number | null {
    if (now - this.since >= WINDOW_MS) {
      this.former = this.least[0]!;
      this.least[0] = Number.POSITIVE_INFINITY;
      this.since = now;
    }
    const least = Math.min(this.former, this.least[0]!);
    return least === Number.POSITIVE_INFINITY ? null : least;
  }
}
