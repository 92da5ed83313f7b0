import { LossRanges } from './loss-ranges.ts';
import type { TickBatch } from './tick-batch.ts';

/** Ranges kept, over all batches: enough for some seconds, a few hundred kilobytes at most. */
const MAX_RANGES = 4096;

/**
 * What the latest confirmed batches held: a Redis that restarts without its last writes, or a replica that takes
 * over without them, has confirmed ticks that it does not have.
 */
export class ConfirmedHistory {
  private batches: { readonly number: number; readonly ranges: LossRanges }[] = [];
  private ranges = 0;

  add(batch: TickBatch): void {
    const ranges = new LossRanges().addBatch(batch);
    this.batches.push({ number: batch.number, ranges });
    this.ranges += ranges.byStream.size;
    while (this.ranges > MAX_RANGES && this.batches.length > 1) {
      this.ranges -= this.batches.shift()!.ranges.byStream.size;
    }
  }

  /** What came after the batch of that number, as far as it is known, and whether that is all. Forgets it. */
  takeAfter(number: number): { ranges: LossRanges; isComplete: boolean } {
    const isComplete = this.batches.length === 0 || this.batches[0]!.number <= number + 1;
    const ranges = new LossRanges();
    for (const each of this.batches) if (each.number > number) ranges.addAll(each.ranges);
    this.batches = this.batches.filter((each) => each.number <= number);
    this.ranges = this.batches.reduce((sum, each) => sum + each.ranges.byStream.size, 0);
    return { ranges, isComplete };
  }
}
