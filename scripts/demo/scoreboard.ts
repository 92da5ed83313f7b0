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
import type { ExchangeResult, Results } from './summary.ts';
import { type TickStamp, tickIdentity } from './tick-identity.ts';
import type { ExchangeView } from './view.ts';

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

/** Counts what the demo shows: from the pods' status, the simulators' ledgers and the records read back. */
export class Scoreboard {
  /** Set by the first record that is read back: `performance.now()`. */
  firstTickAt: number | null = null;
  /** What md.status told lately, newest last. */
  readonly news: string[] = [];
  private readonly live: boolean;
  private readonly scores: Readonly<Record<ExchangeName, Score>>;

  constructor(live: boolean) {
    this.live = live;
    this.scores = Object.fromEntries(EXCHANGES.map((exchange) => [exchange, newScore()])) as Record<
      ExchangeName,
      Score
    >;
  }

  /** The reconciler that takes an exchange's ledger. */
  reconciler(exchange: ExchangeName): Reconciler {
    return this.scores[exchange].reconciler;
  }

  /** A record was read back. `readTime`: microseconds since 1970. */
  tick(channel: TickChannel, stamp: TickStamp, readTime: number): void {
    if (!isExchangeName(stamp.exchange)) return;
    this.firstTickAt ??= performance.now();
    const score = this.scores[stamp.exchange];
    score.readBack++;
    if (this.live) {
      const micros = readTime - stamp.receiveTime;
      score.sinceReceived.record(micros);
      score.recent.record(micros);
    } else {
      score.reconciler.read(tickIdentity({ ...stamp, channel }), readTime);
    }
  }

  /** A record of md.status was read back. That all goes well is no news: the view counts it. */
  status({ exchange, symbol, channel, state, reason, time, firstId, lastId }: Status): void {
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
      const told = toldOf(exchange, pods);
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

  /** What came of it. `drained`: the pods ended with everything acknowledged. */
  results(pods: readonly PodStatus[], drained: boolean): Results {
    const results = EXCHANGES.map((exchange): [ExchangeName, ExchangeResult] => {
      const { reconciler, readBack, sinceReceived } = this.scores[exchange];
      const told = toldOf(exchange, pods);
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
    return Object.fromEntries(results) as Record<ExchangeName, ExchangeResult>;
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

function toldOf(exchange: ExchangeName, pods: readonly PodStatus[]): Told {
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
    const waiting = pod.sinks.reduce((sum, sink) => sum + sink.queuedRecords, 0);
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
