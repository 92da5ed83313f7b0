import type { SkippedRecords, SkipReason } from '../reading/records.ts';

/** Places that are named; beyond them records are only counted. */
const NAMED_PLACES = 100;

/** Where skipped records lie. */
export type SkippedPlace = Omit<SkippedRecords, 'topic'>;

/** What was skipped, as it stands in journal, manifest and summary. */
export interface SkipReport {
  readonly records: number;
  readonly byReason: Readonly<Partial<Record<SkipReason, number>>>;
  /** The first of them. */
  readonly places: readonly SkippedPlace[];
}

/** Counts skipped records, over all runs of an export. */
export class SkipCount {
  records: number;
  private readonly byReason: Partial<Record<SkipReason, number>>;
  private readonly places: SkippedPlace[];

  /** `before`: what earlier runs had skipped. */
  constructor(before: SkipReport | null) {
    this.records = before?.records ?? 0;
    this.byReason = { ...before?.byReason };
    this.places = [...(before?.places ?? [])];
  }

  add({ reason, partition, offset, count, detail }: SkippedRecords): void {
    this.records += count;
    this.byReason[reason] = (this.byReason[reason] ?? 0) + count;
    if (this.places.length < NAMED_PLACES) this.places.push({ reason, partition, offset, count, detail });
  }

  report(): SkipReport {
    return { records: this.records, byReason: { ...this.byReason }, places: [...this.places] };
  }
}
