import type { TickBatch } from './tick-batch.ts';

/** Ticks of one stream by their sequence numbers, inclusive. */
export interface LossRange {
  first: number;
  last: number;
  count: number;
}

/** Gathers by a stream's number which ticks were lost. */
export class LossRanges {
  readonly byStream = new Map<number, LossRange>();

  /** All ticks of a batch, or those with one name (its number there, from 1). */
  addBatch(batch: TickBatch, name: number | null = null): this {
    for (const entry of batch.entries()) {
      if (name === null || entry.name === name) {
        this.add(entry.stream, entry.sequence - entry.conflated, entry.sequence);
      }
    }
    return this;
  }

  addAll(other: LossRanges): void {
    for (const [stream, { first, last, count }] of other.byStream) this.add(stream, first, last, count);
  }

  add(stream: number, first: number, last: number, count = last - first + 1): void {
    const range = this.byStream.get(stream);
    if (range === undefined) {
      this.byStream.set(stream, { first, last, count });
      return;
    }
    range.first = Math.min(range.first, first);
    range.last = Math.max(range.last, last);
    range.count += count;
  }
}
