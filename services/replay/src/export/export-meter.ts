import type { ExportProgress } from './run-export.ts';

/** Rates are those of about this long. */
const WINDOW_MS = 5_000;
/** A sample is kept so often. */
const SAMPLE_MS = 250;

interface Sample {
  readonly at: number;
  readonly offsets: number;
  readonly records: number;
}

/** How fast an export goes, and how long it will take. */
export interface ExportRate {
  readonly recordsPerSecond: number;
  /** Null: not known yet. */
  readonly secondsLeft: number | null;
}

/** Measures the rate of an export over the last seconds. */
export class ExportMeter {
  private readonly samples: Sample[] = [];

  /** `now`: milliseconds of a clock that is never set back. */
  rate({ offsetsDone, offsetsTotal, records }: ExportProgress, now: number): ExportRate {
    const last = this.samples.at(-1);
    if (last === undefined || now - last.at >= SAMPLE_MS) {
      this.samples.push({ at: now, offsets: offsetsDone, records });
      while (this.samples.length > 2 && now - this.samples[1]!.at >= WINDOW_MS) this.samples.shift();
    }
    const [first] = this.samples;
    const seconds = (now - first!.at) / 1000;
    if (seconds === 0) return { recordsPerSecond: 0, secondsLeft: null };
    const offsetsPerSecond = (offsetsDone - first!.offsets) / seconds;
    return {
      recordsPerSecond: (records - first!.records) / seconds,
      secondsLeft: offsetsPerSecond === 0 ? null : (offsetsTotal - offsetsDone) / offsetsPerSecond,
    };
  }
}
