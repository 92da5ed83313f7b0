import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { SUBSCRIPTION_STATES, type SubscriptionState } from '@tickline/schemas';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Given, UnitSum, UnitTally } from '../sharding/unit-tally.ts';
import type { SinkReading } from '../sinks/sink.ts';
import { ExchangeCounters, MESSAGE_CHANNELS } from './counters.ts';
import type { HistogramReading } from './latency-histogram.ts';

/** What metrics read of an exchange's feed; a `Feed` is one. */
export interface FeedReading {
  activeConnections(): number;
  /** Subscriptions that this pod holds or asks for, in whatever state. */
  subscriptionCount(): number;
  reconnects(): number;
  /** Exceptions of our own code on what the feed gave it. */
  listenerFailures(): number;
  connections(): readonly { readonly subscriptions: Readonly<Record<SubscriptionState, number>> }[];
  /** Only those without a connection are read here: the others are in `connections()`. */
  notLive(): readonly { readonly connection: string | null; readonly state: SubscriptionState }[];
}

/** One configured exchange; there from the start of the pod, its feed null until it is built. */
export interface ExchangeReading {
  readonly counters: ExchangeCounters;
  readonly feed: FeedReading | null;
  /** Units by how they are given; those of patterns only once the listing was read. */
  readonly tallies: ReadonlyMap<Given, UnitTally>;
  /** The feed's, and those of symbols that the exchange does not list; not given: the feed's. */
  notLive?(): ReturnType<FeedReading['notLive']>;
}

/** Where the metrics come from: asked at each scrape, never held. */
export interface MetricsSources {
  exchanges(): Iterable<ExchangeReading>;
  sinks(): Iterable<SinkReading>;
  sinkHealth(): Iterable<{ readonly sink: string; readonly healthy: boolean }>;
  /** Status records that no sink's queue took. */
  statusRecordsRefused(): number;
  ready(): { readonly ok: boolean };
  readonly version: string;
  readonly shard: { readonly index: number; readonly count: number };
  /** Pods that the configuration asks for, one a shard. */
  readonly shardsConfigured: number;
  /** Short hash of all of the configuration that decides who owns what. */
  readonly assignment: string;
  /** What a drain left unacknowledged; 0 before its end. */
  readonly drainOutcome: { read(): number };
}

/**
 * Of prom-client's default metrics, those that break the naming rules (gauges that end in `_total`; the same
 * is in the ones without it), and one that has a series only while a request happens to be under way.
 */
const UNWANTED_DEFAULTS = [
  'nodejs_active_requests',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/**
 * The registry behind `/metrics`. Nothing is counted here: every metric reads its source when it is scraped.
 * The five `ws_…` names are given by the mission, the others are ours and follow the Prometheus naming rules.
 */
export function createMetrics(sources: MetricsSources): Registry {
  const registry = new Registry();

  const counter = (name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>) =>
    new Counter({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const [of, value] of read()) this.inc(of, value);
      },
    });
  const gauge = (name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>) =>
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const [of, value] of read()) this.set(of, value);
      },
    });
  const histogram = (name: string, help: string, read: () => Iterable<HistogramSample>) =>
    new ReadHistogram(registry, name, help, read);

  const perExchange = (value: (exchange: ExchangeReading) => number) => () =>
    [...sources.exchanges()].map(
      (reading): Sample => [{ exchange: reading.counters.exchange }, value(reading)],
    );
  const perTickChannel = (counts: (counters: ExchangeCounters) => Float64Array) => () =>
    [...sources.exchanges()].flatMap(({ counters }) =>
      ExchangeCounters.byTickChannel(counts(counters)).map(
        ([channel, count]): Sample => [{ exchange: counters.exchange, channel }, count],
      ),
    );
  const perTally = (value: (tally: UnitTally) => number) => () =>
    [...sources.exchanges()].flatMap(({ counters, tallies }) =>
      [...tallies].map(([given, tally]): Sample => [{ exchange: counters.exchange, given }, value(tally)]),
    );
  const unitSum = (name: string, help: string, sum: (tally: UnitTally) => UnitSum) => {
    gauge(
      `tickline_units_${name}`,
      help,
      ['exchange', 'given'],
      perTally((tally) => sum(tally).count),
    );
    gauge(
      `tickline_units_${name}_hash`,
      `Sum of the hashes of tickline_units_${name}: two different sets of as many units have different sums.`,
      ['exchange', 'given'],
      perTally((tally) => sum(tally).hash),
    );
  };
  const perSink = (value: (sink: SinkReading) => number) => () =>
    [...sources.sinks()].map((reading): Sample => [{ sink: reading.sink }, value(reading)]);

  counter(
    'ws_messages_received_total',
    'WebSocket messages received, each counted once in the channel of its first tick, else as control, skipped or invalid.',
    ['exchange', 'channel'],
    () =>
      [...sources.exchanges()].flatMap(({ counters }) =>
        MESSAGE_CHANNELS.map(
          (channel, index): Sample => [{ exchange: counters.exchange, channel }, counters.messages[index]!],
        ),
      ),
  );
  histogram(
    'ws_message_latency_ms',
    'Receive time minus exchange time in milliseconds, for messages that carry a time not later than ours.',
    () =>
      [...sources.exchanges()].map(({ counters }) => ({
        labels: { exchange: counters.exchange },
        reading: counters.latency,
        msPerUnit: 1,
      })),
  );
  counter(
    'ws_reconnects_total',
    'WebSocket connections that were opened again, for whatever reason.',
    ['exchange'],
    perExchange(({ feed }) => feed?.reconnects() ?? 0),
  );
  gauge(
    'ws_active_connections',
    'WebSocket connections that are open.',
    ['exchange'],
    perExchange(({ feed }) => feed?.activeConnections() ?? 0),
  );
  gauge(
    'ws_subscription_count',
    'Subscriptions that this pod holds or asks for.',
    ['exchange'],
    perExchange(({ feed }) => feed?.subscriptionCount() ?? 0),
  );

  counter(
    'tickline_feed_listener_failures_total',
    'Frames or events on which our own code failed: always a defect.',
    ['exchange'],
    perExchange(({ feed }) => feed?.listenerFailures() ?? 0),
  );
  counter(
    'tickline_late_trades_total',
    'Trades whose id is not above the one before; they are published.',
    ['exchange'],
    perExchange(({ counters }) => counters.late[0]!),
  );
  counter(
    'tickline_clock_skew_messages_total',
    'Messages whose exchange time lay after our receive time; they are not in the latency histogram.',
    ['exchange'],
    perExchange(({ counters }) => counters.clockSkew),
  );
  gauge(
    'tickline_least_latency_seconds',
    'Least receive time minus exchange time of the last minutes; below 0 the exchange’s clock is ahead of ours.',
    ['exchange'],
    () =>
      [...sources.exchanges()].flatMap(({ counters }): Sample[] => {
        const micros = counters.leastLatency.read(performance.now());
        return micros === null ? [] : [[{ exchange: counters.exchange }, micros / 1e6]];
      }),
  );
  counter(
    'tickline_ticks_published_total',
    'Ticks that were numbered and given to the sinks.',
    ['exchange', 'channel'],
    perTickChannel((counters) => counters.ticks),
  );
  counter(
    'tickline_invalid_frames_total',
    'Frames, or ticks within a frame, that were refused.',
    ['exchange', 'reason'],
    () =>
      [...sources.exchanges()].flatMap(({ counters }) =>
        [...counters.invalid].map(
          ([reason, count]): Sample => [{ exchange: counters.exchange, reason }, count],
        ),
      ),
  );
  counter(
    'tickline_gaps_total',
    'Gap records written: ticks known or suspected to be missing.',
    ['exchange', 'channel'],
    perTickChannel((counters) => counters.gaps),
  );
  counter(
    'tickline_repeats_suppressed_total',
    'Ticks that an exchange sent again and that were not published again.',
    ['exchange', 'channel'],
    perTickChannel((counters) => counters.repeats),
  );
  gauge('tickline_subscriptions', 'Subscriptions by state.', ['exchange', 'state'], () =>
    [...sources.exchanges()].flatMap((reading) => {
      const { counters } = reading;
      const byState = subscriptionsByState(reading);
      return SUBSCRIPTION_STATES.map(
        (state): Sample => [{ exchange: counters.exchange, state }, byState[state]],
      );
    }),
  );

  unitSum(
    'configured',
    'Units of the whole configuration, each counted for each shard that owns it: two while shard.previousCount is set.',
    (tally) => tally.configured,
  );
  unitSum('owned', 'Units that the shard of this pod owns.', (tally) => tally.owned);

  gauge('tickline_sink_healthy', '1 when the sink delivers, else 0.', ['sink'], () =>
    [...sources.sinkHealth()].map(({ sink, healthy }): Sample => [{ sink }, healthy ? 1 : 0]),
  );
  gauge(
    'tickline_sink_queue_records',
    'Records that wait in a sink or are on their way.',
    ['sink'],
    perSink((sink) => sink.queuedRecords),
  );
  gauge(
    'tickline_sink_queue_bytes',
    'Bytes that wait in a sink or are on their way.',
    ['sink'],
    perSink((sink) => sink.queuedBytes),
  );
  gauge(
    'tickline_sink_queue_limit_bytes',
    'Limit of a sink’s queue in bytes.',
    ['sink'],
    perSink((sink) => sink.queueLimitBytes),
  );
  counter(
    'tickline_sink_records_acknowledged_total',
    'Records that the sink’s server confirmed.',
    ['sink'],
    perSink((sink) => sink.acknowledged),
  );
  counter(
    'tickline_sink_retries_total',
    'Requests of a sink that were sent again.',
    ['sink'],
    perSink((sink) => sink.retries),
  );
  counter('tickline_sink_errors_total', 'Errors of a sink by code.', ['sink', 'code'], () =>
    [...sources.sinks()].flatMap(({ sink, errorsByCode }) =>
      [...errorsByCode].map(([code, count]): Sample => [{ sink, code }, count]),
    ),
  );
  histogram(
    'tickline_sink_acknowledgement_seconds',
    'Time from sending a request to its acknowledgement.',
    () =>
      [...sources.sinks()].map(({ sink, ackLatencyMs }) => ({
        labels: { sink },
        reading: ackLatencyMs,
        msPerUnit: 1000,
      })),
  );
  counter(
    'tickline_sink_conflated_total',
    'Ticks replaced by a newer one of the same symbol in a sink’s queue.',
    ['sink'],
    perSink((sink) => sink.conflated),
  );
  counter(
    'tickline_sink_shed_total',
    'Ticks that a sink could not take or gave up; each is covered by a gap record.',
    ['sink'],
    perSink((sink) => sink.shed),
  );
  counter(
    'tickline_sink_dead_letters_dropped_total',
    'Frames that were not understood and were dropped on their way to the dead letters.',
    ['sink'],
    perSink((sink) => sink.deadLettersDropped),
  );

  counter(
    'tickline_status_records_refused_total',
    'Status records that found even the reserve of a queue full.',
    [],
    () => [[{}, sources.statusRecordsRefused()]],
  );
  gauge('tickline_sink_clients', 'Clients that a sink serves.', ['sink'], () =>
    [...sources.sinks()].flatMap(({ sink, clients }): Sample[] =>
      clients === undefined ? [] : [[{ sink }, clients]],
    ),
  );
  gauge(
    'tickline_ready',
    '1 when every owned subscription was settled and the sinks answered once, else 0.',
    [],
    () => [[{}, sources.ready().ok ? 1 : 0]],
  );
  gauge('tickline_build_info', 'Version of this pod; always 1.', ['version', 'node'], () => [
    [{ version: sources.version, node: process.versions.node }, 1],
  ]);
  gauge('tickline_pod_shard_info', 'Shard of this pod; always 1.', ['shard', 'shards'], () => [
    [{ shard: String(sources.shard.index), shards: String(sources.shard.count) }, 1],
  ]);

  gauge(
    'tickline_shards_configured',
    'Pods that the configuration asks for, one a shard: the larger number while the count changes.',
    [],
    () => [[{}, sources.shardsConfigured]],
  );
  gauge(
    'tickline_assignment_info',
    'Hash of all of the configuration that decides who owns what; always 1. Pods that agree have the same.',
    ['assignment'],
    () => [[{ assignment: sources.assignment }, 1]],
  );
  gauge(
    'tickline_drain_unacknowledged_records',
    'Records that were not acknowledged when the drain of this pod was over; 0 before.',
    [],
    () => [[{}, sources.drainOutcome.read()]],
  );
  gauge(
    'tickline_memory_limit_bytes',
    'Memory that this process may take (the limit of its container, else the machine’s).',
    [],
    () => [[{}, memoryLimit()]],
  );
  gauge('tickline_heap_limit_bytes', 'Size up to which the JavaScript heap may grow.', [], () => [
    [{}, getHeapStatistics().heap_size_limit],
  ]);

  collectDefaultMetrics({ register: registry });
  for (const name of UNWANTED_DEFAULTS) registry.removeSingleMetric(name);
  return registry;
}

/** Without a limit the kernel tells a number beyond all memory. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** All subscriptions of an exchange by state, those included for which there is no connection. */
function subscriptionsByState(reading: ExchangeReading): Record<SubscriptionState, number> {
  const { feed } = reading;
  const byState = { requested: 0, acknowledged: 0, live: 0, stale: 0, rejected: 0 };
  const notLive = reading.notLive?.() ?? feed?.notLive() ?? [];
  for (const { subscriptions } of feed?.connections() ?? []) {
    for (const state of SUBSCRIPTION_STATES) byState[state] += subscriptions[state];
  }
  for (const { connection, state } of notLive) if (connection === null) byState[state]++;
  return byState;
}

interface HistogramSample {
  readonly labels: Labels;
  readonly reading: HistogramReading;
  /** The reading's milliseconds in one of the metric's unit. Divided by: exact for bounds like 0.025 s. */
  readonly msPerUnit: number;
}

/** A sample of a histogram as prom-client prints it. */
interface HistogramValue {
  readonly metricName: string;
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
}

/**
 * A prom-client histogram whose buckets somebody else has filled: prom-client has no way to set bucket counts,
 * but its registry (and its own `get`) ask the method below for the values at each scrape. It is not in
 * prom-client's declared types; a test fails should a version stop calling it.
 */
class ReadHistogram extends Histogram<string> {
  private readonly described: { readonly name: string; readonly help: string };
  private readonly read: () => Iterable<HistogramSample>;

  constructor(registry: Registry, name: string, help: string, read: () => Iterable<HistogramSample>) {
    super({ name, help, registers: [] });
    this.described = { name, help };
    this.read = read;
    registry.registerMetric(this);
  }

  async getForPromString(): Promise<object> {
    const { name, help } = this.described;
    const values: HistogramValue[] = [];
    for (const { labels: sharedLabels, reading, msPerUnit } of this.read()) {
      let cumulative = 0;
      for (let bucket = 0; bucket < reading.counts.length; bucket++) {
        cumulative += reading.counts[bucket]!;
        const bound = reading.bounds[bucket];
        const le = bound === undefined ? '+Inf' : String(bound / msPerUnit);
        values.push({ metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: cumulative });
      }
      values.push({ metricName: `${name}_sum`, labels: {}, sharedLabels, value: reading.sum / msPerUnit });
      values.push({ metricName: `${name}_count`, labels: {}, sharedLabels, value: cumulative });
    }
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}
