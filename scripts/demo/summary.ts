import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import { clock, count, millis } from './figures.ts';
import { hasOtherSinks, SINK_FACTS, type SinkName } from './sinks.ts';
import { type Cell, type Column, legend, type Tone, textTable, toned } from './text-table.ts';

/** What came of one exchange. */
export interface ExchangeResult {
  /** WebSocket messages that the pods received. */
  readonly frames: number;
  /** Ticks that the leading sink (Kafka, where it is) acknowledged. */
  readonly produced: number;
  /** Ticks that were read back from it. */
  readonly readBack: number;
  /** Written to an acknowledged subscription and not read back; null without a ledger (real exchanges). */
  readonly lost: number | null;
  /** From the simulator's write to the subscriber's read; null when nothing was measured. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Records beyond the first of a tick; null without a ledger. */
  readonly duplicates: number | null;
  /** Records that no ledger entry explains; null without a ledger. */
  readonly unexplained: number | null;
  /** Why there was no data. */
  readonly trouble: string | null;
}

/** What came of one sink, as its subscriber saw it. */
export interface SinkResult {
  readonly sink: SinkName;
  /** Distinct ticks. */
  readonly delivered: number;
  /** By the sequences, from the first tick of each stream on. */
  readonly lost: number;
  readonly duplicates: number;
  /** From the pod's socket to the subscriber's read; null when nothing was measured. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What came of a run. */
export interface Results {
  /** As the leading sink's subscriber saw them. */
  readonly exchanges: Readonly<Record<ExchangeName, ExchangeResult>>;
  /** All that was asked for. */
  readonly sinks: readonly SinkResult[];
}

/** Nothing happened: what a run that did not come up reports. */
export function noResults(live: boolean, sinks: readonly SinkName[]): Results {
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
  return {
    exchanges: Object.fromEntries(EXCHANGES.map((exchange) => [exchange, none])) as Record<
      ExchangeName,
      ExchangeResult
    >,
    sinks: sinks.map((sink) => ({ sink, delivered: 0, lost: 0, duplicates: 0, p50Ms: 0, p99Ms: 0 })),
  };
}

/** What is wrong with a run, a sentence each; empty when every exchange was read back and nothing was lost. */
export function faultsOf({ exchanges, sinks }: Results): string[] {
  const faults = EXCHANGES.flatMap((exchange) => {
    const { readBack, lost, trouble } = exchanges[exchange];
    const faults: string[] = [];
    if (readBack === 0) {
      faults.push(`${exchange}: nothing was read back${trouble === null ? '' : ` (${trouble})`}`);
    }
    if (lost !== null && lost > 0) faults.push(`${exchange}: ${count(lost)} ticks were lost`);
    return faults;
  });
  // Kafka alone is judged by its exchanges.
  for (const { sink, delivered, lost } of shownSinks(sinks)) {
    const { title, mayDrop } = SINK_FACTS[sink];
    if (delivered === 0) faults.push(`${title}: nothing was delivered`);
    if (lost > 0 && !mayDrop) faults.push(`${title}: ${count(lost)} ticks were lost`);
  }
  return faults;
}

/** The sinks side by side; none when there is nothing to compare. */
function shownSinks(sinks: readonly SinkResult[]): readonly SinkResult[] {
  return hasOtherSinks(sinks.map(({ sink }) => sink)) ? sinks : [];
}

/** Whether the run was good: it came to its end, every exchange was read back, and nothing was lost. */
export function isGood(results: Results, error: string | null): boolean {
  return error === null && faultsOf(results).length === 0;
}

/**
 * The result as one line of JSON; `error` says why the run failed as a whole. `sinks` is there when others than Kafka
 * were asked for.
 */
export function resultJson(results: Results, error: string | null): string {
  const exchanges = Object.fromEntries(
    EXCHANGES.map((exchange) => {
      const { frames, produced, readBack, lost, p50Ms, p99Ms } = results.exchanges[exchange];
      return [exchange, { frames, produced, readBack, lost, p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms) }];
    }),
  );
  const others = results.sinks.filter(({ sink }) => sink !== 'kafka');
  const sinks = Object.fromEntries(others.map(({ sink, delivered, lost }) => [sink, { delivered, lost }]));
  return JSON.stringify({
    exchanges,
    ...(others.length === 0 ? {} : { sinks }),
    ok: isGood(results, error),
    ...(error === null ? {} : { error }),
  });
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}

/** What the latencies of a run were measured between. */
export function latencyMeaning(live: boolean): string {
  return `from ${live ? 'our socket' : 'the simulator’s write'} to the subscriber’s read`;
}

/** What the sinks' delays were measured between, and their losses counted by. */
export const SINKS_MEANING: readonly string[] = [
  'delay: from the pod’s socket to the subscriber’s read',
  'lost: by the sequences, from the first tick on',
];

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
    const r = results.exchanges[exchange];
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
    const records = results.exchanges[exchange].unexplained ?? 0;
    if (records === 0) return [];
    return [`${exchange}: ${count(records)} records were read back that the simulator did not write`];
  });
  const faults = faultsOf(results);
  const verdict: Cell =
    faults.length > 0
      ? { text: 'Not good:', tone: 'bad' }
      : { text: goodVerdict(results, live), tone: 'good' };
  return [
    toned({ text: `Summary of ${clock(seconds)}`, tone: 'strong' }, colour),
    '',
    ...textTable(columns, rows, width, colour),
    toned({ text: `p50, p99: ${latencyMeaning(live)}`, tone: 'dim' }, colour),
    '',
    ...sinkTable(shownSinks(results.sinks), width, colour),
    ...unexplained.map((text) => toned({ text, tone: 'warn' }, colour)),
    toned(verdict, colour),
    ...faults.map((text) => toned({ text: `  ${text}`, tone: 'bad' }, colour)),
  ];
}

function goodVerdict({ sinks }: Results, live: boolean): string {
  const dropped = sinks.find(({ lost }) => lost > 0);
  if (dropped !== undefined) {
    const { title } = SINK_FACTS[dropped.sink];
    return `${count(dropped.lost)} ticks were dropped by ${title}, as it may. All else arrived.`;
  }
  return live ? 'Every exchange was read back.' : 'Nothing was lost.';
}

function sinkTable(sinks: readonly SinkResult[], width: number, colour: boolean): string[] {
  if (sinks.length === 0) return [];
  const columns: Column[] = [
    { title: 'SINK', align: 'left' },
    { title: 'delivered', align: 'right' },
    { title: 'lost', align: 'right' },
    { title: 'duplicates', align: 'right', expendable: 1 },
    { title: 'delay p50 ms', align: 'right' },
    { title: 'delay p99 ms', align: 'right' },
  ];
  const rows = sinks.map(({ sink, delivered, lost, duplicates, p50Ms, p99Ms }): Cell[] => [
    { text: SINK_FACTS[sink].title, tone: 'strong' },
    { text: count(delivered), tone: delivered === 0 ? 'bad' : 'plain' },
    { text: count(lost), tone: lossTone(sink, lost) },
    { text: count(duplicates), tone: duplicates === 0 ? 'plain' : 'warn' },
    { text: millis(p50Ms) },
    { text: millis(p99Ms) },
  ]);
  return [
    ...textTable(columns, rows, width, colour),
    ...legend(SINKS_MEANING, width).map((text) => toned({ text, tone: 'dim' }, colour)),
    '',
  ];
}

/** How a loss looks: only Redis Pub/Sub may have one. */
export function lossTone(sink: SinkName, lost: number): Tone {
  if (lost === 0) return 'good';
  return SINK_FACTS[sink].mayDrop ? 'warn' : 'bad';
}
