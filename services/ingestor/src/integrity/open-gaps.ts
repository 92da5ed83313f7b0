/** Ids of trades that are missing, and between which receive times (microseconds). */
export interface OpenGap {
  readonly firstId: number;
  readonly lastId: number;
  readonly firstTime: number;
  readonly lastTime: number;
}

/**
 * Ids that are missing so far while two sessions overlap: where the new session is ahead, the old
 * one still brings what was skipped. What is left when the overlap ends is missing for good.
 */
export class OpenGaps {
  private gaps: OpenGap[] = [];

  add(gap: OpenGap): void {
    this.gaps.push(gap);
  }

  /** The ids from `first` to `last` came after all. */
  fill(first: number, last: number): void {
    this.gaps = this.gaps.flatMap((gap) => {
      if (last < gap.firstId || first > gap.lastId) return [gap];
      const left: OpenGap[] = [];
      if (gap.firstId < first) left.push({ ...gap, lastId: first - 1 });
      if (last < gap.lastId) left.push({ ...gap, firstId: last + 1 });
      return left;
    });
  }

  /** What has not come. */
  get rest(): readonly OpenGap[] {
    return this.gaps;
  }
}
