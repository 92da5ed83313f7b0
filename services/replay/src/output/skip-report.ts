import type { SkippedRecords, SkipReason } from '../reading/records.ts';

/** Places that are told one by one; after so many only the counts go on. */
const TOLD = 10;

/** Counts what could not be read, and tells the first places. */
export class SkipReport {
  private readonly tell: (line: string) => void;
  private readonly counts = new Map<SkipReason, number>();
  private places = 0;

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  /** For `ReadOptions.skipped`. */
  readonly add = ({ reason, topic, partition, offset, count, detail }: SkippedRecords): void => {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + count);
    this.places++;
    if (this.places > TOLD + 1) return;
    this.tell(
      this.places > TOLD
        ? 'tickline: more records were skipped; the summary counts them'
        : `tickline: skipped ${count === 1 ? 'a record' : `${count} records`} at ${topic} partition ${partition} offset ${offset}: ${reason}: ${detail}`,
    );
  };

  get count(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `3 skipped (corrupted record: 2, unknown schema: 1)`; empty when nothing was. */
  get summary(): string {
    if (this.counts.size === 0) return '';
    const parts = [...this.counts].map(([reason, count]) => `${reason}: ${count.toLocaleString('en')}`);
    return `${this.count.toLocaleString('en')} skipped (${parts.join(', ')})`;
  }

  /** By reason, for `--json`. */
  get byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }
}
