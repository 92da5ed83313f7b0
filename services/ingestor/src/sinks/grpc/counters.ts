/** Upper bounds of the delivery latency's buckets, milliseconds, inclusive. */
const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000,
];

/** Time from handing a batch to a client's connection to when the connection has taken it. */
export class DeliveryLatency {
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

/** Plain counts that only grow, for whoever makes metrics of them; over all clients. */
export class GrpcCounters {
  /** Ticks that clients' connections have taken. */
  delivered = 0;
  /** Quotes replaced by a newer one for a client that was behind. */
  conflated = 0;
  /** Ticks that waited for a client whose stream was ended. */
  undelivered = 0;
  /** Calls that ended with an error of ours, by the status code's name. */
  readonly errorsByCode: Map<string, number> = new Map();
  readonly deliveryMs: DeliveryLatency = new DeliveryLatency();

  countError(name: string): void {
    this.errorsByCode.set(name, (this.errorsByCode.get(name) ?? 0) + 1);
  }
}
