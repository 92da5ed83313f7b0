/** Sub-buckets per power of two: a value is known within 1/64 of itself. */
const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;
/** Up to 2^36 microseconds, 19 hours. */
const MAX_EXPONENT = 36;

/**
 * Latencies in microseconds in log-linear buckets: fixed memory whatever the count, percentiles within
 * 1.6 % of the true value.
 */
export class LatencyHistogram {
  private readonly buckets = new Float64Array((MAX_EXPONENT - SUB_BITS + 1) * SUB);
  private total = 0;

  /** How many latencies were recorded. */
  get count(): number {
    return this.total;
  }

  /** Adds a latency in microseconds. Below zero (two processes' clocks differ by microseconds) counts as zero. */
  record(micros: number): void {
    this.buckets[bucketOf(micros)]! += 1;
    this.total++;
  }

  /** Adds all of another histogram. */
  add(other: LatencyHistogram): void {
    for (let at = 0; at < this.buckets.length; at++) this.buckets[at]! += other.buckets[at]!;
    this.total += other.total;
  }

  clear(): void {
    this.buckets.fill(0);
    this.total = 0;
  }

  /** The latency in milliseconds below which `share` (0 to 1) of all lie; null when there is none. */
  percentileMs(share: number): number | null {
    if (this.total === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.total));
    let seen = 0;
    for (let at = 0; at < this.buckets.length; at++) {
      seen += this.buckets[at]!;
      if (seen >= rank) return middleOf(at) / 1000;
    }
    return middleOf(this.buckets.length - 1) / 1000;
  }
}

function bucketOf(micros: number): number {
  const value = Math.max(0, Math.floor(micros));
  if (value < SUB) return value;
  const exponent = Math.min(MAX_EXPONENT - 1, Math.floor(Math.log2(value)));
  const sub = Math.min(SUB - 1, Math.floor(value / 2 ** (exponent - SUB_BITS)) - SUB);
  return (exponent - SUB_BITS + 1) * SUB + sub;
}

function middleOf(bucket: number): number {
  if (bucket < SUB) return bucket;
  const width = 2 ** (Math.floor(bucket / SUB) - 1);
  return (SUB + (bucket % SUB)) * width + width / 2;
}
