import type { MissingRun } from './missing-trades.ts';

/** A row of `tickline audit trades --json`, as far as it is compared. */
export interface AuditedRow {
  readonly exchange: string;
  /** Null where the exchange's ids prove nothing. */
  readonly missingIds: number | null;
  readonly missingSequences: number;
}

/**
 * Where two audits differ, in a sentence each: ours, which knows what the simulated exchanges made, and `tickline audit`, which
 * knows only what lies in Kafka. By exchange, where ids count, both must miss as many ids.
 */
export function disagreements(runs: readonly MissingRun[], rows: readonly AuditedRow[]): string[] {
  const found: string[] = [];
  for (const [exchange, own] of Map.groupBy(rows, (row) => row.exchange)) {
    if (own.some(({ missingIds }) => missingIds === null)) continue;
    const told = own.reduce((sum, { missingIds }) => sum + (missingIds ?? 0), 0);
    const made = runs.filter((run) => run.exchange === exchange).reduce((sum, { ids }) => sum + ids, 0);
    if (told !== made) {
      found.push(`${exchange}: ${made} ids are missing by its ledger, ${told} by \`tickline audit\``);
    }
  }
  return found;
}
