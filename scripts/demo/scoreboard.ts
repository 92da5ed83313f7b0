import {
  EXCHANGES,
  type ExchangeName,
  isExchangeName,
  type PodStatus,
  type Status,
  type TickChannel,
} from '@tickline/schemas';
import { LatencyHistogram } from './histogram.ts';
import { RateMeter } from './rate-meter.ts';
import { RecentLatency } from './recent-latency.ts';
import { Reconciler } from './reconcile.ts';
import { SequenceCount, StreamEnds } from './sequence-count.ts';
import { leadingSink, SINK_FACTS, type SinkName } from './sinks.ts';
import type { ExchangeResult, Results, SinkResult } from './summary.ts';
import { type TickStamp, tickIdentity } from './tick-identity.ts';
import type { ExchangeView, SinkView } from './view.ts';

/** News that are kept for the view. */
const NEWS = 5;
/** States of md.status in which nothing is wrong. */
const WELL: readonly string[] = ['requested', 'acknowledged', 'live'];

interface Score {
  readonly recent: RecentLatency;
  readonly reconciler: Reconciler;
  /** Real exchanges: from our socket to the consumer's read. */
  readonly sinceReceived: LatencyHistogram;
  readonly frames: RateMeter;
  readBack: number;
}

interface SinkScore {
  readonly count: SequenceCount;
  readonly recent: RecentLatency;
  /** From the pod's socket to the subscriber's read. */
  readonly sinceReceived: LatencyHistogram;
  readonly rate: RateMeter;
}

/**
 * Counts what the demo shows: from the pods' status, the simulators' ledgers and what the subscribers get. The
 * exchanges' figures are those of the leading sink.
 */
export class Scoreboard {
  /** Set by the first tick that is read back: `performance.now()`. */
  firstTickAt: number | null = null;
  /** What status records told lately, newest last. */
  readonly news: string[] = [];
  private readonly live: boolean;
  private readonly leading: SinkName;
  private readonly scores: Readonly<Record<ExchangeName, Score>>;
  private readonly sinkScores: ReadonlyMap<SinkName, SinkScore>;
  private measuredFrom = 0;

  constructor(live: boolean, sinks: readonly SinkName[]) {
    this.live = live;
    this.leading = leadingSink(sinks);
    const ends = new StreamEnds();
    this.sinkScores = new Map(
      sinks.map((sink) => [
        sink,
        {
          count: new SequenceCount(ends),
          recent: new RecentLatency(),
          sinceReceived: new LatencyHistogram(),
          rate: new RateMeter(),
        },
      ]),
    );
    this.scores = Object.fromEntries(EXCHANGES.map((exchange) => [exchange, newScore()])) as Record<
      ExchangeName,
      Score
    >;
  }

  /** The reconciler that takes an exchange's ledger. */
  reconciler(exchange: ExchangeName): Reconciler {
    return this.scores[exchange].reconciler;
  }

  /** Ticks from before are counted and not timed: a cold start is no latency. Microseconds since 1970. */
  measureFrom(micros: number): void {
    this.measuredFrom = micros;
    for (const exchange of EXCHANGES) this.reconciler(exchange).measureFrom(micros);
  }

  /** A sink's subscriber got a tick. `readTime`: microseconds since 1970. */
  tick(sink: SinkName, channel: TickChannel, stamp: TickStamp, readTime: number): void {
    if (!isExchangeName(stamp.exchange)) return;
    const own = this.sinkScores.get(sink);
    if (own !== undefined) {
      own.count.tick(channel, stamp);
      if (stamp.receiveTime >= this.measuredFrom) {
        own.recent.record(readTime - stamp.receiveTime);
        own.sinceReceived.record(readTime - stamp.receiveTime);
      }
    }
    if (sink !== this.leading) return;
    this.firstTickAt ??= performance.now();
    const score = this.scores[stamp.exchange];
    score.readBack++;
    if (this.live) {
      if (stamp.receiveTime < this.measuredFrom) return;
      const micros = readTime - stamp.receiveTime;
      score.sinceReceived.record(micros);
      score.recent.record(micros);
    } else {
      score.reconciler.read(tickIdentity({ ...stamp, channel }), readTime);
    }
  }

  /** A sink's subscriber got a status record. That all goes well is no news: the view counts it. */
  status(sink: SinkName, record: Status): void {
    if (sink === this.leading) this.tell(record);
  }

  private tell({ exchange, symbol, channel, state, reason, time, firstId, lastId }: Status): void {
    if (WELL.includes(state)) return;
    const at = new Date(time / 1000).toISOString().slice(11, 19);
    const why = reason === '' ? '' : `, ${reason}`;
    const ids = firstId === null ? '' : ` (ids ${firstId} to ${lastId})`;
    this.news.push(`${at} ${exchange} ${symbol} ${channel}: ${state}${why}${ids}`);
    if (this.news.length > NEWS) this.news.shift();
  }

  /** Ticks that are owed and not read back yet. */
  get onTheWay(): number {
    return EXCHANGES.reduce((sum, exchange) => sum + this.reconciler(exchange).result().missing, 0);
  }

  /** The exchanges as the view shows them. */
  views(pods: readonly PodStatus[]): ExchangeView[] {
    const now = performance.now();
    return EXCHANGES.map((exchange): ExchangeView => {
      const score = this.scores[exchange];
      const told = toldOf(exchange, pods, this.leading);
      return {
        exchange,
        framesPerSecond: score.frames.read(now, told.frames),
        sockets: told.sockets,
        liveSubscriptions: told.live,
        subscriptions: told.subscriptions,
        reconnects: told.reconnects,
        ...score.recent.percentiles(now),
        exchangeMs: told.exchangeMs,
        acknowledged: Math.max(told.acknowledged, score.readBack),
        readBack: score.readBack,
        onTheWay: this.live ? null : score.reconciler.result().missing,
        trouble: told.trouble,
      };
    });
  }

  /** The sinks as the view shows them. */
  sinkViews(): SinkView[] {
    const now = performance.now();
    return [...this.sinkScores].map(
      ([sink, { count, recent, rate }]): SinkView => ({
        sink,
        delivered: count.delivered,
        lost: count.holes,
        ticksPerSecond: rate.read(now, count.delivered),
        ...recent.percentiles(now),
      }),
    );
  }

  /** What came of it. `drained`: the pods ended with everything acknowledged. */
  results(pods: readonly PodStatus[], drained: boolean): Results {
    const results = EXCHANGES.map((exchange): [ExchangeName, ExchangeResult] => {
      const { reconciler, readBack, sinceReceived } = this.scores[exchange];
      const told = toldOf(exchange, pods, this.leading);
      const found = reconciler.result();
      const latency = this.live ? sinceReceived : reconciler.latency;
      return [
        exchange,
        {
          frames: told.frames,
          // What was read back was acknowledged, whatever the last status could know of it.
          produced: Math.max(drained ? told.ticks : told.acknowledged, readBack),
          readBack,
          lost: this.live ? null : found.missing,
          p50Ms: latency.percentileMs(0.5),
          p99Ms: latency.percentileMs(0.99),
          duplicates: this.live ? null : found.duplicates,
          unexplained: this.live ? null : found.unexplained,
          trouble: told.trouble,
        },
      ];
    });
    const sinks = [...this.sinkScores].map(
      ([sink, { count, sinceReceived }]): SinkResult => ({
        sink,
        delivered: count.delivered,
        // Of a run that broke off, the ends are still on their way.
        lost: drained ? count.lostAtEnd() : count.holes,
        duplicates: count.duplicates,
        p50Ms: sinceReceived.percentileMs(0.5),
        p99Ms: sinceReceived.percentileMs(0.99),
      }),
    );
    return { exchanges: Object.fromEntries(results) as Record<ExchangeName, ExchangeResult>, sinks };
  }
}

function newScore(): Score {
  const recent = new RecentLatency();
  return {
    recent,
    reconciler: new Reconciler((micros) => recent.record(micros)),
    sinceReceived: new LatencyHistogram(),
    frames: new RateMeter(),
    readBack: 0,
  };
}

/** What the pods together tell of one exchange. */
interface Told {
  readonly frames: number;
  readonly ticks: number;
  readonly acknowledged: number;
  readonly sockets: number;
  readonly live: number;
  readonly subscriptions: number;
  readonly reconnects: number;
  readonly exchangeMs: { readonly p50: number; readonly p99: number } | null;
  readonly trouble: string | null;
}

/** `leading`: the sink whose acknowledgements count. */
function toldOf(exchange: ExchangeName, pods: readonly PodStatus[], leading: SinkName): Told {
  let frames = 0;
  let ticks = 0;
  let acknowledged = 0;
  let sockets = 0;
  let live = 0;
  let subscriptions = 0;
  let reconnects = 0;
  const latencies: { readonly p50: number; readonly p99: number }[] = [];
  let trouble: string | null = null;
  for (const pod of pods) {
    const own = pod.exchanges.find((each) => each.exchange === exchange);
    if (own === undefined) continue;
    // A sink knows no exchange. At most all that waits in it is this exchange's: at least the rest is acknowledged.
    const { statusName } = SINK_FACTS[leading];
    const waiting = pod.sinks.find(({ sink }) => sink === statusName)?.queuedRecords ?? 0;
    frames += own.messages;
    ticks += own.ticks;
    acknowledged += Math.max(0, own.ticks - waiting);
    subscriptions += own.owned;
    reconnects += own.reconnects;
    if (own.latencyMs !== null) latencies.push(own.latencyMs);
    for (const connection of pod.connections) {
      if (connection.exchange !== exchange) continue;
      if (connection.state === 'open') sockets++;
      live += connection.subscriptions.live;
    }
    trouble ??= troubleOf(exchange, pod, own.waitingFor);
  }
  return {
    frames,
    ticks,
    acknowledged,
    sockets,
    live,
    subscriptions,
    reconnects,
    // The slower pod's: percentiles do not add up.
    exchangeMs:
      latencies.length === 0
        ? null
        : {
            p50: Math.max(...latencies.map(({ p50 }) => p50)),
            p99: Math.max(...latencies.map(({ p99 }) => p99)),
          },
    trouble,
  };
}

/** Why a pod has no data of an exchange, or of a part of it; null when all is well or only just begun. */
function troubleOf(exchange: ExchangeName, pod: PodStatus, waitingFor: string | null): string | null {
  if (waitingFor !== null && waitingFor !== 'the listing') return `waits for ${waitingFor}`;
  const reasons = pod.notLive.filter((each) => each.exchange === exchange && each.reason !== null);
  const first = reasons[0];
  if (first === undefined) return null;
  const others = reasons.length === 1 ? '' : ` and ${reasons.length - 1} more`;
  return `${first.symbol} ${first.channel}${others}: ${first.state}, ${first.reason}`;
}
