import type { Edge, Hole } from './interval-ledger.ts';
import type { ToldLosses } from './told-losses.ts';
import type { SequenceHole, UnitAudit } from './unit-audit.ts';

/** What proves that a row is complete. */
export type Proof =
  /** Both: the exchange counts its trades, and each producer what it writes. */
  | 'trade ids and sequence'
  /** As above, where a trade may cover several ids. */
  | 'fill ids and sequence'
  /** The exchange's ids prove nothing: what never reached a pod does not show. */
  | 'sequence';

/** Numbers that are missing in a row. Times are microseconds. */
export interface Missing {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Receive time of the tick below and of the one above. */
  readonly afterTime: number;
  readonly beforeTime: number;
  /** Producers of these two: where they differ, one pod ended and another began. */
  readonly afterProducer: string;
  readonly beforeProducer: string;
  /** What `md.status` told of it; null: nothing. */
  readonly told: string | null;
}

/** One symbol of one exchange in the report. */
export interface AuditRow {
  readonly exchange: string;
  readonly symbol: string;
  readonly proof: Proof;
  readonly present: number;
  readonly duplicates: number;
  /** Why ticks may occur twice, by `md.status`. */
  readonly duplicatesTold: string | null;
  readonly outOfOrder: number;
  /** Missing trade ids; null where ids prove nothing. */
  readonly missingIds: number | null;
  readonly missingSequences: number;
  /** Of both kinds together, what `md.status` told of. */
  readonly told: number;
  readonly idHoles: readonly Missing[];
  readonly sequenceHoles: readonly (Missing & { readonly producer: string })[];
}

/** What an audit found, row by row. `producers`: the audit's list. */
export function findings(
  units: readonly UnitAudit[],
  channel: string,
  losses: ToldLosses,
  producers: readonly string[],
): AuditRow[] {
  return units.map((unit) => rowOf(unit, channel, losses, producers));
}

/** Whether anything is missing. */
export function isComplete({ missingIds, missingSequences }: AuditRow): boolean {
  return (missingIds ?? 0) === 0 && missingSequences === 0;
}

function rowOf(unit: UnitAudit, channel: string, losses: ToldLosses, producers: readonly string[]): AuditRow {
  const { exchange, symbol } = unit;
  const nameOf = ({ producer }: Edge) => producers[producer]!;
  const missing = (hole: Hole, told: string | null): Missing => ({
    first: hole.first,
    last: hole.last,
    count: hole.last - hole.first + 1,
    afterTime: hole.after.time,
    beforeTime: hole.before.time,
    afterProducer: nameOf(hole.after),
    beforeProducer: nameOf(hole.before),
    told,
  });
  const ids = unit.missingIds();
  const idHoles = (ids ?? []).map((hole) =>
    missing(hole, losses.whyIdsAreMissing(exchange, symbol, channel, hole)),
  );
  const sequenceHoles = unit.missingSequences().map((hole: SequenceHole) => ({
    ...missing(hole, losses.whySequencesAreMissing(exchange, symbol, channel, hole)),
    producer: producers[hole.producer]!,
  }));
  return {
    exchange,
    symbol,
    proof: proofOf(unit),
    present: unit.present,
    duplicates: unit.duplicates,
    duplicatesTold: unit.duplicates === 0 ? null : losses.whyRepeated(exchange, symbol, channel),
    outOfOrder: unit.outOfOrder,
    missingIds: ids === null ? null : sum(idHoles),
    missingSequences: sum(sequenceHoles),
    told: sum([...idHoles, ...sequenceHoles].filter(({ told }) => told !== null)),
    idHoles,
    sequenceHoles,
  };
}

function proofOf({ rule }: UnitAudit): Proof {
  if (rule === 'counting') return 'trade ids and sequence';
  return rule === 'counting-fills' ? 'fill ids and sequence' : 'sequence';
}

function sum(missing: readonly Missing[]): number {
  return missing.reduce((total, { count }) => total + count, 0);
}
