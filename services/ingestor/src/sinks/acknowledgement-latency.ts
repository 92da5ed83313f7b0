/** Upper bounds of the acknowledgement latency's buckets, milliseconds, inclusive. */
const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
];

/** Time from sending a request to its answer. */
export class AckLatency {
  readonly bounds: readonly number[] = LATENCY_BOUNDS_MS;
  /** By bucket, not cumulative; one more entry than `bounds`. */
  readonly counts: Float64Array = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  /** Milliseconds. */
  sum = 0;

  observe(ms: number): void {
    const bucket = this.bounds.findIndex((bound) => ms <= bound);
    this.counts[bucket === -1 ? this.bounds.length : bucket]!++;
    this.sum += ms;
  }
}
