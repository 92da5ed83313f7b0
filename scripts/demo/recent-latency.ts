import { LatencyHistogram } from './histogram.ts';

const SPAN_MS = 5_000;

/** Latencies of the last 5 to 10 seconds: two histograms in turn. */
export class RecentLatency {
  private young = new LatencyHistogram();
  private old = new LatencyHistogram();
  private turnedAt = 0;

  /** Adds a latency in microseconds. */
  record(micros: number): void {
    this.young.record(micros);
  }

  /** Two percentiles in milliseconds, null when there was nothing. `nowMs`: any clock that never goes back. */
  percentiles(nowMs: number): { readonly p50Ms: number | null; readonly p99Ms: number | null } {
    if (nowMs - this.turnedAt >= SPAN_MS) {
      [this.old, this.young] = [this.young, this.old];
      this.young.clear();
      this.turnedAt = nowMs;
    }
    const both = new LatencyHistogram();
    both.add(this.old);
    both.add(this.young);
    return { p50Ms: both.percentileMs(0.5), p99Ms: both.percentileMs(0.99) };
  }
}
