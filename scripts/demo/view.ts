import type { ExchangeName } from '@tickline/schemas';
import { age, clock, count, millis, size } from './figures.ts';
import { hasOtherSinks, leadingSink, SINK_FACTS, type SinkName } from './sinks.ts';
import { latencyMeaning, lossTone, SINKS_MEANING } from './summary.ts';
import { type Cell, type Column, cut, legend, textTable, toned } from './text-table.ts';

/** What the view shows of one exchange, summed over the pods. */
export interface ExchangeView {
  readonly exchange: ExchangeName;
  readonly framesPerSecond: number;
  /** Open WebSockets. */
  readonly sockets: number;
  readonly liveSubscriptions: number;
  readonly subscriptions: number;
  readonly reconnects: number;
  /** Of the last seconds; null when there was nothing. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** From the exchange's clock to our socket, where only the real exchanges make sense of it. */
  readonly exchangeMs: { readonly p50: number; readonly p99: number } | null;
  readonly acknowledged: number;
  readonly readBack: number;
  /** Written by the simulator and not read back yet; null without a ledger. */
  readonly onTheWay: number | null;
  /** Why there is no data, in a sentence. */
  readonly trouble: string | null;
}

/** What the view shows of one sink, as its subscriber sees it. */
export interface SinkView {
  readonly sink: SinkName;
  readonly delivered: number;
  /** Holes in the sequences. */
  readonly lost: number;
  readonly ticksPerSecond: number;
  /** From the pod's socket to the subscriber's read, of the last seconds; null when there was nothing. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What the view shows of one pod. */
export interface PodView {
  readonly shard: string;
  readonly phase: string;
  readonly ready: boolean;
  /** What its sidecar says. */
  readonly health: string;
  readonly healthy: boolean;
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly queuedBytes: number;
  readonly queueLimitBytes: number;
  /** What its sink complains of, in a sentence. */
  readonly trouble: string | null;
}

/** The last quote and trade of a symbol as they were read back; texts are the records' exact decimals. */
export interface SampleView {
  readonly exchange: ExchangeName;
  readonly symbol: string;
  readonly quote: {
    readonly bidPrice: string | null;
    readonly bidQuantity: string | null;
    readonly askPrice: string | null;
    readonly askQuantity: string | null;
  } | null;
  readonly trade: { readonly price: string; readonly quantity: string; readonly side: 'buy' | 'sell' } | null;
  /** Since the last of them was read. */
  readonly ageMs: number;
}

/** Everything that the live view shows. */
export interface DemoView {
  readonly live: boolean;
  /** Since the first tick; null before it. */
  readonly seconds: number | null;
  readonly durationSeconds: number | null;
  readonly rate: number;
  /** Where the servers are: `Kafka 127.0.0.1:9092`. */
  readonly servers: readonly string[];
  readonly logFolder: string;
  readonly exchanges: readonly ExchangeView[];
  /** All that were asked for, at least one. */
  readonly sinks: readonly SinkView[];
  readonly pods: readonly PodView[];
  readonly samples: readonly SampleView[];
  /** The latest news on md.status, newest last, one line each. */
  readonly news: readonly string[];
  /** What is going on besides: how the run ends. */
  readonly footer: string;
}

/** What there is to draw on. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

const MARGIN = ' ';

/** The view as lines: none wider than the canvas, not more than its rows. Parts are shown by their importance, as far as there is room. */
export function renderView(view: DemoView, canvas: Canvas): string[] {
  const width = Math.max(1, canvas.columns - 1 - MARGIN.length);
  const draw = (cell: Cell): string => toned({ ...cell, text: cut(cell.text, width) }, canvas.colour);
  const title = draw({ text: titleOf(view), tone: 'strong' });
  const places = [
    ...legend(view.servers, width).map((text) => draw({ text, tone: 'dim' })),
    draw({ text: `logs ${view.logFolder}`, tone: 'dim' }),
  ];
  const troubles = troublesOf(view).map((text) => draw({ text, tone: 'warn' }));
  const news = view.news.length === 0 ? [] : [draw({ text: 'NEWS on md.status', tone: 'dim' })];
  const sinks: Section = { lines: sinkTable(view, width, canvas.colour), rank: 1 };
  const meaning = sinks.lines.length === 0 ? [] : legend(SINKS_MEANING, width);
  const sections: readonly Section[] = [
    { lines: [title], rank: 0 },
    { lines: places, rank: 5 },
    { lines: ['', ...exchangeTable(view, width, canvas.colour)], rank: 0 },
    { lines: legendOf(view, width).map((text) => draw({ text, tone: 'dim' })), rank: 5 },
    { lines: troubles, rank: 1 },
    sinks,
    { lines: meaning.map((text) => draw({ text, tone: 'dim' })), rank: 5, below: sinks },
    { lines: ['', ...podTable(view, width, canvas.colour)], rank: 3 },
    { lines: sampleTable(view, width, canvas.colour), rank: 2 },
    { lines: news.length === 0 ? [] : ['', ...news, ...view.news.map((text) => draw({ text }))], rank: 4 },
    { lines: view.footer === '' ? [] : ['', draw({ text: view.footer, tone: 'dim' })], rank: 0 },
  ];
  return fitting(sections, canvas.rows - 1)
    .flatMap(({ lines }) => lines)
    .slice(0, Math.max(1, canvas.rows - 1))
    .map((line) => (line === '' ? '' : MARGIN + line));
}

/** Lines that are shown or left out together. */
interface Section {
  readonly lines: readonly string[];
  /** 0: always shown; the others as far as there is room, lowest first. */
  readonly rank: number;
  /** Makes no sense without that one. */
  readonly below?: Section;
}

function fitting(sections: readonly Section[], rows: number): readonly Section[] {
  const kept = new Set<Section>();
  let room = rows;
  for (const section of sections.toSorted((a, b) => a.rank - b.rank)) {
    if (section.rank > 0 && section.lines.length > room) continue;
    if (section.below !== undefined && !kept.has(section.below)) continue;
    kept.add(section);
    room -= section.lines.length;
  }
  return sections.filter((section) => kept.has(section));
}

/** All that is not as it should be, a sentence each. */
export function troublesOf({ exchanges, pods }: Pick<DemoView, 'exchanges' | 'pods'>): string[] {
  return [
    ...exchanges.map(({ exchange, trouble }) => [exchange, trouble] as const),
    ...pods.map(({ shard, trouble }) => [`shard ${shard}`, trouble] as const),
  ].flatMap(([who, trouble]) => (trouble === null ? [] : [`${who}: ${trouble}`]));
}

function titleOf(view: DemoView): string {
  const parts = [view.live ? 'Tickline, real exchanges' : 'Tickline demo, simulated exchanges'];
  if (view.seconds === null) parts.push('waiting for the first tick');
  else if (view.durationSeconds === null) parts.push(clock(view.seconds));
  else parts.push(`${clock(view.seconds)} of ${clock(view.durationSeconds)}`);
  if (!view.live) parts.push(`${count(view.rate)} frames/s wanted`);
  return parts.join(' · ');
}

function exchangeTable(view: DemoView, width: number, colour: boolean): string[] {
  // Eighty columns hold all but the last two.
  const columns: Column[] = [
    { title: 'EXCHANGE', align: 'left' },
    { title: 'frames/s', align: 'right' },
    { title: 'sockets', align: 'right', expendable: 3 },
    { title: 'subs live', align: 'right', expendable: 1 },
    { title: 'reconnects', align: 'right', expendable: 2 },
    { title: 'p50 ms', align: 'right' },
    { title: 'p99 ms', align: 'right' },
    { title: 'acked', align: 'right' },
    { title: 'read back', align: 'right', expendable: 4 },
    { title: view.live ? 'to us p50/p99 ms' : 'on the way', align: 'right', expendable: 5 },
  ];
  const row = (e: Omit<ExchangeView, 'exchange' | 'trouble'> & { exchange: string }): Cell[] => {
    const allLive = e.subscriptions > 0 && e.liveSubscriptions === e.subscriptions;
    return [
      { text: e.exchange, tone: 'strong' },
      { text: count(e.framesPerSecond) },
      { text: count(e.sockets), tone: e.sockets === 0 ? 'bad' : 'plain' },
      {
        text: liveText(e),
        tone: allLive ? 'good' : 'warn',
      },
      { text: count(e.reconnects), tone: e.reconnects > 0 ? 'warn' : 'plain' },
      { text: millis(e.p50Ms) },
      { text: millis(e.p99Ms) },
      { text: count(e.acknowledged) },
      { text: count(e.readBack) },
      { text: view.live ? reachText(e.exchangeMs) : count(e.onTheWay ?? 0) },
    ];
  };
  const sum = (of: (e: ExchangeView) => number): number => view.exchanges.reduce((all, e) => all + of(e), 0);
  const total: Cell[] = [
    { text: 'all', tone: 'strong' },
    { text: count(sum((e) => e.framesPerSecond)), tone: 'strong' },
    { text: count(sum((e) => e.sockets)) },
    {
      text: liveText({
        liveSubscriptions: sum((e) => e.liveSubscriptions),
        subscriptions: sum((e) => e.subscriptions),
      }),
    },
    { text: count(sum((e) => e.reconnects)) },
    { text: '' },
    { text: '' },
    { text: count(sum((e) => e.acknowledged)), tone: 'strong' },
    { text: count(sum((e) => e.readBack)), tone: 'strong' },
    { text: view.live ? '' : count(sum((e) => e.onTheWay ?? 0)) },
  ];
  return textTable(columns, [...view.exchanges.map(row), total], width, colour);
}

function liveText(of: Pick<ExchangeView, 'liveSubscriptions' | 'subscriptions'>): string {
  if (of.subscriptions === 0) return '–';
  return `${count(of.liveSubscriptions)}/${count(of.subscriptions)}`;
}

function reachText(exchangeMs: ExchangeView['exchangeMs']): string {
  return exchangeMs === null ? '–' : `${millis(exchangeMs.p50)} / ${millis(exchangeMs.p99)}`;
}

/** What the short titles of the exchanges' table mean. */
function legendOf({ live, sinks }: DemoView, width: number): readonly string[] {
  const { acknowledged } = SINK_FACTS[leadingSink(sinks.map(({ sink }) => sink))];
  const parts = [`p50, p99: ${latencyMeaning(live)}`, `acked: ticks ${acknowledged}`];
  if (live) parts.push('to us: from the exchange’s clock to our socket');
  return legend(parts, width);
}

/** The sinks side by side; nothing for Kafka alone, which the exchanges' table tells. */
function sinkTable({ sinks }: DemoView, width: number, colour: boolean): string[] {
  if (!hasOtherSinks(sinks.map(({ sink }) => sink))) return [];
  const columns: Column[] = [
    { title: 'SINK', align: 'left' },
    { title: 'delivered', align: 'right' },
    { title: 'lost', align: 'right' },
    { title: 'ticks/s', align: 'right', expendable: 1 },
    { title: 'delay p50 ms', align: 'right' },
    { title: 'delay p99 ms', align: 'right' },
  ];
  const rows = sinks.map(({ sink, delivered, lost, ticksPerSecond, p50Ms, p99Ms }): Cell[] => [
    { text: SINK_FACTS[sink].title, tone: 'strong' },
    { text: count(delivered) },
    { text: count(lost), tone: lossTone(sink, lost) },
    { text: count(ticksPerSecond) },
    { text: millis(p50Ms) },
    { text: millis(p99Ms) },
  ]);
  return ['', ...textTable(columns, rows, width, colour)];
}

function podTable(view: DemoView, width: number, colour: boolean): string[] {
  const columns: Column[] = [
    { title: 'POD', align: 'left' },
    { title: 'state', align: 'left' },
    { title: 'sidecar says', align: 'left' },
    { title: 'CPU', align: 'right', expendable: 2 },
    { title: 'memory', align: 'right', expendable: 3 },
    { title: `waiting for ${waitedFor(view.sinks)}`, align: 'right', expendable: 1 },
  ];
  const rows = view.pods.map((pod): Cell[] => [
    { text: `shard ${pod.shard}`, tone: 'strong' },
    { text: pod.ready ? `${pod.phase}, ready` : pod.phase, tone: pod.ready ? 'good' : 'warn' },
    { text: pod.health, tone: pod.healthy ? 'good' : 'warn' },
    { text: `${count(pod.cpuPercent)} %` },
    { text: size(pod.rssBytes) },
    { text: `${size(pod.queuedBytes)} of ${size(pod.queueLimitBytes)}` },
  ]);
  return textTable(columns, rows, width, colour);
}

function waitedFor(sinks: readonly SinkView[]): string {
  const [only] = sinks;
  return sinks.length === 1 && only !== undefined ? SINK_FACTS[only.sink].title : 'all sinks';
}

function sampleTable(view: DemoView, width: number, colour: boolean): string[] {
  if (view.samples.length === 0) return [];
  const columns: Column[] = [
    { title: 'READ BACK', align: 'left' },
    { title: 'symbol', align: 'left' },
    { title: 'bid', align: 'right' },
    { title: 'quantity', align: 'right', expendable: 3 },
    { title: 'ask', align: 'right' },
    { title: 'quantity', align: 'right', expendable: 3 },
    { title: 'last trade', align: 'right' },
    { title: 'quantity', align: 'right', expendable: 3 },
    { title: '', align: 'left', expendable: 1 },
    { title: 'ago', align: 'right', expendable: 2 },
  ];
  const rows = view.samples.map(({ exchange, symbol, quote, trade, ageMs }): Cell[] => {
    const tone = trade?.side === 'buy' ? 'up' : 'down';
    return [
      { text: exchange, tone: 'strong' },
      { text: symbol },
      { text: quote?.bidPrice ?? '–' },
      { text: quote?.bidQuantity ?? '', tone: 'dim' },
      { text: quote?.askPrice ?? '–' },
      { text: quote?.askQuantity ?? '', tone: 'dim' },
      { text: trade?.price ?? '–', tone },
      { text: trade?.quantity ?? '', tone: 'dim' },
      { text: trade?.side ?? '', tone },
      { text: quote === null && trade === null ? '' : age(ageMs), tone: 'dim' },
    ];
  });
  return ['', ...textTable(columns, rows, width, colour)];
}

/** The view in one line, for where there is no terminal. */
export function progressLine(view: DemoView): string {
  const time = view.seconds === null ? 'no tick yet' : clock(view.seconds);
  const parts = view.exchanges.map((e) => {
    const latency = `p50 ${millis(e.p50Ms)} ms p99 ${millis(e.p99Ms)} ms`;
    if (e.readBack === 0) return `${e.exchange} nothing read back yet`;
    return `${e.exchange} ${count(e.framesPerSecond)} frames/s ${count(e.readBack)} read back ${latency}`;
  });
  return [`${time}  ${[...parts, ...sinkParts(view)].join(' | ')}`, ...troublesOf(view)].join('; ');
}

function sinkParts({ sinks }: DemoView): string[] {
  if (!hasOtherSinks(sinks.map(({ sink }) => sink))) return [];
  return sinks.map(({ sink, delivered, lost, p50Ms }) => {
    const { title } = SINK_FACTS[sink];
    return `${title} ${count(delivered)} delivered ${count(lost)} lost p50 ${millis(p50Ms)} ms`;
  });
}
