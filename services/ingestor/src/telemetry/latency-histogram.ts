/** Upper bounds of the buckets in milliseconds, inclusive; one more bucket takes all that is above (`+Inf`). */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
]);

// The same, typed for the scan, and closed by a bound that everything (but NaN) is below.
const SCANNED_BOUNDS = Float64Array.from([...LATENCY_BOUNDS_MS, Number.POSITIVE_INFINITY]);

/** What a scrape or a quantile reads of a histogram. */
export interface HistogramReading {
  /** Upper bounds, ascending, without `+Inf`. */
  readonly bounds: readonly number[];
  /** Observations in each bucket (not cumulative): one more entry than `bounds`. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/**
 * A latency histogram for the hot path: `observe` is a short scan and two additions on preallocated arrays;
 * nothing is allocated. Counts are doubles: exact up to 2^53.
 */
export class LatencyHistogram implements HistogramReading {
  readonly bounds: readonly number[] = LATENCY_BOUNDS_MS;
  readonly counts: Float64Array = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  // In an array, because a double in a plain field may be boxed anew at each store.
  private readonly total = new Float64Array(1);

  /** Adds one latency in milliseconds. The caller sorts negative ones out. */
  observe(ms: number): void {
    let bucket = 0;
    while (ms > SCANNED_BOUNDS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.total[0]! += ms;
  }

  /** Milliseconds. A double's rounding of each addition is its only error. */
  get sum(): number {
    return this.total[0]!;
  }

  /** Number of observations. */
  get count(): number {
    return countOf(this.counts);
  }

  /** See {@link quantileOf}, over everything observed so far. */
  quantile(p: number): number | null {
    return quantileOf(this.bounds, this.counts, p);
  }
}

/**
 * The value below which the share `p` (0 to 1) of the observations lies, by linear interpolation within the
 * bucket, as Prometheus' `histogram_quantile` does it: the first bucket starts at 0, and a quantile in the
 * `+Inf` bucket is the largest bound. Null when nothing was observed.
 */
export function quantileOf(bounds: readonly number[], counts: ArrayLike<number>, p: number): number | null {
  const count = countOf(counts);
  if (count === 0) return null;
  const rank = Math.min(Math.max(p, 0), 1) * count;
  let below = 0;
  for (let bucket = 0; bucket < bounds.length; bucket++) {
    const inBucket = counts[bucket]!;
    if (inBucket > 0 && below + inBucket >= rank) {
      const low = bucket === 0 ? 0 : bounds[bucket - 1]!;
      return low + ((rank - below) / inBucket) * (bounds[bucket]! - low);
    }
    below += inBucket;
  }
  return bounds[bounds.length - 1]!;
}

function countOf(counts: ArrayLike<number>): number {
  let count = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) count += counts[bucket]!;
  return count;
}
