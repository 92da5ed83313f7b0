import { type HistogramReading, quantileOf } from './latency-histogram.ts';

/** p50 and p99 in milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Quantiles of a histogram's recent past: the difference between now and an earlier copy of its counts. It
 * needs no timer, and any number of readers may share one: the copy is renewed by reading, so that the
 * answer covers between one and two intervals (longer only if nobody asked for longer).
 */
export class IntervalQuantiles {
  private readonly histogram: HistogramReading;
  private readonly intervalMs: number;
  /** What the answer is counted from, and the copy that replaces it when an interval has passed. */
  private base: Float64Array;
  private next: Float64Array;
  private nextTakenAt: number;

  constructor(histogram: HistogramReading, intervalMs: number, nowMs: number) {
    this.histogram = histogram;
    this.intervalMs = intervalMs;
    this.base = Float64Array.from(histogram.counts);
    this.next = Float64Array.from(histogram.counts);
    this.nextTakenAt = nowMs;
  }

  /** `nowMs` is of a monotonic clock. Null when the interval saw no observation. */
  read(nowMs: number): Quantiles | null {
    const { bounds, counts } = this.histogram;
    if (nowMs - this.nextTakenAt >= this.intervalMs) {
      this.base = this.next;
      this.next = Float64Array.from(counts);
      this.nextTakenAt = nowMs;
    }
    const recent = this.base.map((earlier, bucket) => counts[bucket]! - earlier);
    const p50 = quantileOf(bounds, recent, 0.5);
    const p99 = quantileOf(bounds, recent, 0.99);
    return p50 === null || p99 === null ? null : { p50, p99 };
  }
}
