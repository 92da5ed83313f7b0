import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import { clock, count, millis } from './figures.ts';
import { type Cell, type Column, textTable, toned } from './text-table.ts';

/** What came of one exchange. */
export interface ExchangeResult {
  /** WebSocket messages that the pods received. */
  readonly frames: number;
  /** Ticks that Kafka acknowledged. */
  readonly produced: number;
  /** Ticks that were read back from the topics. */
  readonly readBack: number;
  /** Written to an acknowledged subscription and not read back; null without a ledger (real exchanges). */
  readonly lost: number | null;
  /** From the simulator's write to the consumer's read; null when nothing was measured. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Records beyond the first of a tick; null without a ledger. */
  readonly duplicates: number | null;
  /** Records that no ledger entry explains; null without a ledger. */
  readonly unexplained: number | null;
  /** Why there was no data. */
  readonly trouble: string | null;
}

export type Results = Readonly<Record<ExchangeName, ExchangeResult>>;

/** Nothing happened: what a run that did not come up reports. */
export function noResults(live: boolean): Results {
  const none: ExchangeResult = {
    frames: 0,
    produced: 0,
    readBack: 0,
    lost: live ? null : 0,
    p50Ms: 0,
    p99Ms: 0,
    duplicates: live ? null : 0,
    unexplained: live ? null : 0,
    trouble: null,
  };
  return Object.fromEntries(EXCHANGES.map((exchange) => [exchange, none])) as Record<
    ExchangeName,
    ExchangeResult
  >;
}

/** What is wrong with a run, a sentence each; empty when every exchange was read back and nothing was lost. */
export function faultsOf(results: Results): string[] {
  return EXCHANGES.flatMap((exchange) => {
    const { readBack, lost, trouble } = results[exchange];
    const faults: string[] = [];
    if (readBack === 0) {
      faults.push(`${exchange}: nothing was read back${trouble === null ? '' : ` (${trouble})`}`);
    }
    if (lost !== null && lost > 0) faults.push(`${exchange}: ${count(lost)} ticks were lost`);
    return faults;
  });
}

/** Whether the run was good: it came to its end, every exchange was read back, and nothing was lost. */
export function isGood(results: Results, error: string | null): boolean {
  return error === null && faultsOf(results).length === 0;
}

/** The result as one line of JSON; `error` says why the run failed as a whole. */
export function resultJson(results: Results, error: string | null): string {
  const exchanges = Object.fromEntries(
    EXCHANGES.map((exchange) => {
      const { frames, produced, readBack, lost, p50Ms, p99Ms } = results[exchange];
      return [exchange, { frames, produced, readBack, lost, p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms) }];
    }),
  );
  return JSON.stringify({ exchanges, ok: isGood(results, error), ...(error === null ? {} : { error }) });
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}

/** What the latencies of a run were measured between. */
export function latencyMeaning(live: boolean): string {
  return `from ${live ? 'our socket' : 'the simulator’s write'} to the reader’s read`;
}

/** The summary for people, as lines. */
export function renderSummary(
  results: Results,
  seconds: number,
  live: boolean,
  width: number,
  colour: boolean,
): string[] {
  const columns: Column[] = [
    { title: 'EXCHANGE', align: 'left' },
    { title: 'frames', align: 'right' },
    { title: 'produced', align: 'right' },
    { title: 'read back', align: 'right' },
    ...(live
      ? []
      : ([
          { title: 'lost', align: 'right' },
          { title: 'duplicates', align: 'right', expendable: 1 },
        ] as const)),
    { title: 'p50 ms', align: 'right' },
    { title: 'p99 ms', align: 'right' },
  ];
  const rows = EXCHANGES.map((exchange): Cell[] => {
    const r = results[exchange];
    return [
      { text: exchange, tone: 'strong' },
      { text: count(r.frames) },
      { text: count(r.produced) },
      { text: count(r.readBack), tone: r.readBack === 0 ? 'bad' : 'plain' },
      ...(live
        ? []
        : ([
            { text: count(r.lost ?? 0), tone: r.lost === 0 ? 'good' : 'bad' },
            { text: count(r.duplicates ?? 0), tone: r.duplicates === 0 ? 'plain' : 'warn' },
          ] as const)),
      { text: millis(r.p50Ms) },
      { text: millis(r.p99Ms) },
    ];
  });
  const unexplained = EXCHANGES.flatMap((exchange) => {
    const records = results[exchange].unexplained ?? 0;
    if (records === 0) return [];
    return [`${exchange}: ${count(records)} records were read back that the simulator did not write`];
  });
  const faults = faultsOf(results);
  const verdict: Cell =
    faults.length > 0
      ? { text: 'Not good:', tone: 'bad' }
      : { text: live ? 'Every exchange was read back.' : 'Nothing was lost.', tone: 'good' };
  return [
    toned({ text: `Summary of ${clock(seconds)}`, tone: 'strong' }, colour),
    '',
    ...textTable(columns, rows, width, colour),
    toned({ text: `p50, p99: ${latencyMeaning(live)}`, tone: 'dim' }, colour),
    '',
    ...unexplained.map((text) => toned({ text, tone: 'warn' }, colour)),
    toned(verdict, colour),
    ...faults.map((text) => toned({ text: `  ${text}`, tone: 'bad' }, colour)),
  ];
}
