import type { MissingRun, Phase } from './missing-trades.ts';

/** What the audit is asked: a line of JSON on its command line. */
export interface AuditRequest {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  /** Until their ends all is compared. */
  readonly phases: readonly Phase[];
}

/** What it answers: a line of JSON on its standard output. */
export interface AuditReport {
  /** Records in the topics. */
  readonly trades: number;
  readonly quotes: number;
  /** Lives of pods that wrote them. */
  readonly producers: number;
  /** Trades that the exchanges made during the phases, each counted once. */
  readonly made: number;
  /** Trades that are in the topic more than once, as two pods of a shard overlapped. */
  readonly repeated: number;
  /** Trades that are missing. */
  readonly missing: readonly MissingRun[];
  /** Holes in what a producer counted, trades and quotes: ticks that a pod had and lost. */
  readonly holes: readonly string[];
  /** Gap records on md.status. */
  readonly gapRecords: number;
}
