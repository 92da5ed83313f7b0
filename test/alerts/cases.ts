import { buckets, fleet, ingestor, type Labels, pod, type Series, series, sidecar, units } from './series.ts';

/** An alert that is to fire, besides the labels that all have: namespace, release. */
export interface Firing {
  readonly severity?: 'critical' | 'warning';
  readonly labels?: Labels;
  readonly summary: string;
}

/** What Prometheus has seen, and what an alert makes of it at a time. */
export interface Case {
  readonly what: string;
  readonly series: Series;
  /** Since the first values. */
  readonly at: string;
  /** Empty: the alert does not fire. */
  readonly fires: readonly Firing[];
}

const [first, second] = [ingestor('shard-0'), ingestor('shard-1')];
const okx = { exchange: 'okx' };
const kafka = { sink: 'kafka' };
const shard0 = { ...without(first), shard: '0' };

/** Labels that an alert on one pod has from its target: those that all alerts have are left out. */
function without(target: Labels): Labels {
  const { namespace: _, release: __, ...rest } = target;
  return rest;
}

function both(name: string, labels: Labels, one: string, other: string): Series {
  return { ...series(name, first, labels, one), ...series(name, second, labels, other) };
}

function subscriptions(target: Labels, counts: { live: number; stale?: number; requested?: number }): Series {
  const { live, stale = 0, requested = 0 } = counts;
  return Object.assign(
    {},
    ...Object.entries({ live, stale, requested, acknowledged: 0, rejected: 0 }).map(([state, count]) =>
      series('tickline_subscriptions', target, { ...okx, state }, `${count}x90`),
    ),
  ) as Series;
}

const connected = both('ws_active_connections', okx, '2x90', '2x90');

/** For each alert of the chart when it fires, and when it does not: with the thresholds of values.yaml, and two shards. */
export const cases: Readonly<Record<string, readonly Case[]>> = {
  TicklineShardMissing: [
    {
      what: 'no pod at all: series were never there',
      series: {},
      at: '5m',
      fires: ['0', '1'].map((shard) => ({ labels: { shard }, summary: `No pod of shard ${shard} is ready` })),
    },
    {
      what: 'a pod whose series end',
      series: { ...pod(0), ...pod(1, { ready: '1x10 _x30' }) },
      // The last value is looked at for five minutes more.
      at: '21m',
      fires: [{ labels: { shard: '1' }, summary: 'No pod of shard 1 is ready' }],
    },
    {
      what: 'a pod that is there and never becomes ready',
      series: { ...pod(0), ...pod(1, { ready: '0x30' }) },
      at: '6m',
      fires: [{ labels: { shard: '1' }, summary: 'No pod of shard 1 is ready' }],
    },
    {
      what: 'a pod that is replaced within four minutes',
      series: { ...pod(0), ...pod(1, { ready: '1x10 0x3 1x30' }) },
      at: '14m',
      fires: [],
    },
    {
      what: 'a rollout in which the new pod is ready before the old one ends',
      series: {
        ...pod(0, { ready: '1x10 0x1' }),
        ...pod(0, { name: 'new', ready: '_x5 0x4 1x30' }),
        ...pod(1),
      },
      at: '20m',
      fires: [],
    },
    { what: 'both are ready', series: fleet, at: '60m', fires: [] },
  ],
  TicklineShardCountMismatch: [
    {
      what: 'two counts for longer than a rollout',
      series: { ...pod(0), ...pod(1, { shards: 3 }) },
      at: '30m',
      fires: [{ summary: 'Pods do not agree on how many shards there are' }],
    },
    {
      what: 'a shard beyond the count that was left behind',
      series: { ...fleet, ...pod(2) },
      at: '30m',
      fires: [{ summary: 'Pods do not agree on how many shards there are' }],
    },
    {
      what: 'a rollout to another count',
      series: {
        ...pod(0),
        ...pod(1, { shards: 3, ready: '1x20' }),
        ...pod(1, { name: 'new', ready: '_x20 1x40' }),
      },
      at: '35m',
      fires: [],
    },
    {
      what: 'a change of the count on its way: three pods, of which two are the new count',
      series: {
        ...pod(0, { shardsConfigured: 3 }),
        ...pod(1, { shardsConfigured: 3 }),
        ...pod(2, { shardsConfigured: 3 }),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineAssignmentDrift: [
    {
      what: 'two configurations for longer than a rollout',
      series: { ...pod(0), ...pod(1, { assignment: 'b2' }) },
      at: '30m',
      fires: [{ summary: 'Pods run with 2 different configurations of who owns what' }],
    },
    {
      what: 'not yet half an hour',
      series: { ...pod(0), ...pod(1, { assignment: 'b2' }) },
      at: '29m',
      fires: [],
    },
    {
      what: 'the shard counts differ too, which is told by its own alert',
      series: { ...pod(0), ...pod(1, { assignment: 'b2', shards: 3 }) },
      at: '60m',
      fires: [],
    },
    { what: 'all agree', series: fleet, at: '60m', fires: [] },
  ],
  TicklineSymbolUnowned: [
    {
      what: 'three of ten named symbols',
      series: { ...fleet, ...units('shard-0', [10, 100], [4, 40]), ...units('shard-1', [10, 100], [3, 31]) },
      at: '15m',
      fires: [{ labels: { ...okx, given: 'name' }, summary: '3 symbols of okx are read by no shard' }],
    },
    {
      what: 'one lost and another doubled, so that the number is right',
      series: { ...fleet, ...units('shard-0', [10, 100], [5, 50]), ...units('shard-1', [10, 100], [5, 49]) },
      at: '15m',
      fires: [{ labels: { ...okx, given: 'name' }, summary: '1 symbols of okx are read by no shard' }],
    },
    {
      what: 'one of a pattern, which was listed after the other pod started: nobody is woken',
      series: {
        ...fleet,
        ...units('shard-0', [10, 100], [5, 50], 'pattern'),
        ...units('shard-1', [9, 88], [4, 38], 'pattern'),
      },
      at: '15m',
      fires: [
        {
          severity: 'warning',
          labels: { ...okx, given: 'pattern' },
          summary: '1 symbols that a pattern takes in on okx are read by no shard',
        },
      ],
    },
    {
      what: 'a shard is missing, which is told by its own alert',
      series: { ...pod(0), ...units('shard-0', [10, 100], [4, 40]) },
      at: '60m',
      fires: [],
    },
    {
      what: 'a pod that is replaced: two of one shard own the same',
      series: {
        ...fleet,
        ...pod(1, { name: 'new' }),
        ...units('shard-0', [10, 100], [4, 40]),
        ...units('shard-1', [10, 100], [6, 60]),
        ...units('new', [10, 100], [6, 60]),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'every symbol has its owner',
      series: { ...fleet, ...units('shard-0', [10, 100], [4, 40]), ...units('shard-1', [10, 100], [6, 60]) },
      at: '60m',
      fires: [],
    },
  ],
  TicklineSymbolDoublyOwned: [
    {
      what: 'two symbols with two owners',
      series: { ...fleet, ...units('shard-0', [10, 100], [6, 60]), ...units('shard-1', [10, 100], [6, 60]) },
      at: '30m',
      fires: [{ labels: { ...okx, given: 'name' }, summary: '2 symbols of okx are read by two shards' }],
    },
    {
      what: 'one lost and another doubled, so that the number is right',
      series: { ...fleet, ...units('shard-0', [10, 100], [5, 50]), ...units('shard-1', [10, 100], [5, 49]) },
      at: '30m',
      fires: [{ labels: { ...okx, given: 'name' }, summary: '1 symbols of okx are read by two shards' }],
    },
    {
      what: 'two pods as one shard for longer than a rollout',
      series: { ...fleet, ...pod(1, { name: 'new', ready: '0x60' }) },
      at: '30m',
      fires: [{ labels: { shard: '1' }, summary: '2 pods run as shard 1' }],
    },
    {
      what: 'a rollout of twenty minutes',
      series: { ...fleet, ...pod(1, { name: 'new', ready: '_x10 0x10 1x10 _x50' }) },
      at: '34m',
      fires: [],
    },
    {
      what: 'the count changes and units have two owners on purpose: configured counts both',
      series: { ...fleet, ...units('shard-0', [14, 140], [8, 80]), ...units('shard-1', [14, 140], [6, 60]) },
      at: '60m',
      fires: [],
    },
  ],
  TicklineExchangeDown: [
    {
      what: 'no pod has a connection: one alert, not one for each pod',
      series: { ...fleet, ...both('ws_active_connections', okx, '0x30', '0x30') },
      at: '3m',
      fires: [{ labels: okx, summary: 'No connection to okx on any pod' }],
    },
    {
      what: 'one pod has none, the other has',
      series: { ...fleet, ...both('ws_active_connections', okx, '0x30', '1x30') },
      at: '30m',
      fires: [],
    },
    {
      what: 'down for two minutes',
      series: { ...fleet, ...both('ws_active_connections', okx, '2x5 0x2 2x20', '1x5 0x2 1x20') },
      at: '9m',
      fires: [],
    },
    { what: 'no pod is left to tell, which is told by its own alert', series: {}, at: '30m', fires: [] },
  ],
  TicklineFeedStale: [
    {
      what: 'above a quarter of all is silent or not acknowledged',
      series: {
        ...fleet,
        ...connected,
        ...subscriptions(first, { live: 70, stale: 20, requested: 10 }),
        ...subscriptions(second, { live: 78, stale: 22 }),
      },
      at: '10m',
      fires: [{ labels: okx, summary: '26% of the subscriptions of okx bring nothing' }],
    },
    {
      what: 'just a quarter',
      series: {
        ...fleet,
        ...connected,
        ...subscriptions(first, { live: 70, stale: 20, requested: 10 }),
        ...subscriptions(second, { live: 80, stale: 20 }),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'one pod of many hears nothing',
      series: {
        ...fleet,
        ...connected,
        ...subscriptions(first, { live: 0, requested: 20 }),
        ...subscriptions(second, { live: 1000 }),
      },
      at: '10m',
      fires: [{ labels: okx, summary: '100% of the subscriptions of okx bring nothing' }],
    },
    {
      what: 'one pod with a few quiet symbols',
      series: {
        ...fleet,
        ...connected,
        ...subscriptions(first, { live: 0, stale: 19 }),
        ...subscriptions(second, { live: 1000 }),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'a pod that still starts',
      series: {
        ...pod(0, { ready: '0x90' }),
        ...pod(1),
        ...connected,
        ...subscriptions(first, { live: 0, requested: 500 }),
        ...subscriptions(second, { live: 500 }),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'the exchange is down, which is told by its own alert',
      series: {
        ...fleet,
        ...both('ws_active_connections', okx, '0x90', '0x90'),
        ...subscriptions(first, { live: 0, requested: 500 }),
        ...subscriptions(second, { live: 0, requested: 500 }),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineReconnectStorm: [
    {
      what: 'each connection is lost four times in ten minutes',
      series: {
        ...both('ws_active_connections', okx, '2x90', '2x90'),
        ...both('ws_reconnects_total', okx, '0+1x90', '0+0.6x90'),
      },
      at: '20m',
      fires: [{ labels: okx, summary: 'okx: 4 reconnects of each connection in 10 minutes' }],
    },
    {
      what: 'three times',
      series: {
        ...both('ws_active_connections', okx, '5x90', '5x90'),
        ...both('ws_reconnects_total', okx, '0+2x90', '0+1x90'),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'a rollout: counts begin at 0 again',
      series: { ...connected, ...both('ws_reconnects_total', okx, '500x20 0x60', '700x30 0x50') },
      at: '33m',
      fires: [],
    },
    {
      what: 'the exchange is down, which is told by its own alert',
      series: {
        ...both('ws_active_connections', okx, '0x90', '0x90'),
        ...both('ws_reconnects_total', okx, '0+5x90', '0+5x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineInvalidFrames: [
    {
      what: 'two of a thousand',
      series: {
        ...series('tickline_invalid_frames_total', first, { ...okx, reason: 'unknown-type' }, '0+2x90'),
        ...series('ws_messages_received_total', first, { ...okx, channel: 'trades' }, '0+600x90'),
        ...series('ws_messages_received_total', second, { ...okx, channel: 'quotes' }, '0+400x90'),
      },
      at: '20m',
      fires: [{ labels: okx, summary: '0.2% of the frames of okx are refused' }],
    },
    {
      what: 'one in ten: the format has changed',
      series: {
        ...series('tickline_invalid_frames_total', first, { ...okx, reason: 'missing-field' }, '0+100x90'),
        ...series('ws_messages_received_total', first, { ...okx, channel: 'invalid' }, '0+100x90'),
        ...series('ws_messages_received_total', second, { ...okx, channel: 'quotes' }, '0+900x90'),
      },
      at: '20m',
      fires: [{ severity: 'critical', labels: okx, summary: '10% of the frames of okx are refused' }],
    },
    {
      what: 'one of a thousand',
      series: {
        ...series('tickline_invalid_frames_total', first, { ...okx, reason: 'unknown-type' }, '0+1x90'),
        ...series('ws_messages_received_total', first, { ...okx, channel: 'trades' }, '0+1000x90'),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'one single frame of a busy exchange',
      series: {
        ...series('tickline_invalid_frames_total', first, { ...okx, reason: 'not-json' }, '0x10 1x80'),
        ...series('ws_messages_received_total', first, { ...okx, channel: 'trades' }, '0+1000x90'),
      },
      at: '15m',
      fires: [],
    },
  ],
  TicklineLatencyHigh: [
    {
      what: 'two of a hundred ticks take above two seconds',
      series: buckets('ws_message_latency_ms', first, okx, {
        1000: '98',
        2500: '98',
        5000: '100',
        '+Inf': '100',
      }),
      at: '15m',
      fires: [{ labels: okx, summary: 'okx: ticks arrive 3.75k ms after the exchange’s time' }],
    },
    {
      what: 'one of a hundred and one',
      series: buckets('ws_message_latency_ms', first, okx, {
        1000: '100',
        2500: '100',
        5000: '101',
        '+Inf': '101',
      }),
      at: '60m',
      fires: [],
    },
    {
      what: 'nothing arrives',
      series: buckets('ws_message_latency_ms', first, okx, { 1000: '0', 2500: '0', '+Inf': '0' }),
      at: '60m',
      fires: [],
    },
  ],
  TicklineClockSkew: [
    {
      what: 'one pod’s clock is 150 ms behind those of all exchanges',
      series: {
        ...fleet,
        ...both('tickline_least_latency_seconds', okx, '-0.15x90', '0.01x90'),
        ...both('tickline_least_latency_seconds', { exchange: 'kraken' }, '-0.2x90', '0.02x90'),
      },
      at: '10m',
      fires: [{ labels: shard0, summary: 'The clock of shard 0’s node is off by about -150ms' }],
    },
    {
      what: 'one pod’s clock is three seconds ahead',
      series: {
        ...fleet,
        ...both('tickline_least_latency_seconds', okx, '3x90', '0.01x90'),
        ...both('tickline_least_latency_seconds', { exchange: 'kraken' }, '4x90', '0.02x90'),
      },
      at: '10m',
      fires: [{ labels: shard0, summary: 'The clock of shard 0’s node is off by about 3s' }],
    },
    {
      what: 'the clock of one exchange is ahead, as all pods see it',
      series: {
        ...fleet,
        ...both('tickline_least_latency_seconds', okx, '-0.3x90', '-0.2x90'),
        ...both('tickline_least_latency_seconds', { exchange: 'kraken' }, '0.02x90', '0.02x90'),
      },
      at: '10m',
      fires: [{ labels: okx, summary: 'The clock of okx is off by about -200ms' }],
    },
    {
      what: 'no more than the thresholds',
      series: {
        ...fleet,
        ...both('tickline_least_latency_seconds', okx, '-0.1x90', '2x90'),
        ...both('tickline_least_latency_seconds', { exchange: 'kraken' }, '-0.1x90', '2x90'),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'one exchange is slow, others are not',
      series: {
        ...fleet,
        ...both('tickline_least_latency_seconds', okx, '9x90', '9x90'),
        ...both('tickline_least_latency_seconds', { exchange: 'kraken' }, '0.02x90', '0.02x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineGaps: [
    {
      what: 'gaps for half an hour',
      series: series('tickline_gaps_total', first, { ...okx, channel: 'trades' }, '0+0.2x90'),
      at: '45m',
      fires: [{ labels: { ...okx, channel: 'trades' }, summary: 'okx trades: gaps again and again' }],
    },
    {
      what: 'a reconnect that cost each symbol a gap',
      series: series('tickline_gaps_total', first, { ...okx, channel: 'trades' }, '0x10 500x80'),
      at: '45m',
      fires: [],
    },
  ],
  TicklineSymbolsRejected: [
    {
      what: 'one',
      series: series('tickline_subscriptions', first, { ...okx, state: 'rejected' }, '1x30'),
      at: '15m',
      fires: [{ labels: okx, summary: 'okx refuses 1 subscriptions, or does not list their symbols' }],
    },
    {
      what: 'none; others are stale',
      series: {
        ...series('tickline_subscriptions', first, { ...okx, state: 'rejected' }, '0x90'),
        ...series('tickline_subscriptions', first, { ...okx, state: 'stale' }, '7x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineListenerFailures: [
    {
      what: 'one',
      series: series('tickline_feed_listener_failures_total', first, okx, '0x10 1x80'),
      at: '12m',
      fires: [{ labels: okx, summary: 'Tickline’s own code fails on frames of okx' }],
    },
    {
      what: 'none; the count of a former life is gone',
      series: series('tickline_feed_listener_failures_total', first, okx, '3x10 0x80'),
      at: '12m',
      fires: [],
    },
  ],
  TicklineSinkUnhealthy: [
    {
      what: 'Kafka, for all pods: one alert',
      series: both('tickline_sink_healthy', kafka, '0x30', '0x30'),
      at: '2m',
      fires: [{ labels: kafka, summary: 'At least one pod can not deliver to Kafka' }],
    },
    {
      what: 'Redis: nobody is woken',
      series: {
        ...both('tickline_sink_healthy', kafka, '1x30', '1x30'),
        ...both('tickline_sink_healthy', { sink: 'redis-streams' }, '1x30', '0x30'),
      },
      at: '2m',
      fires: [
        {
          severity: 'warning',
          labels: { sink: 'redis-streams' },
          summary: 'At least one pod can not deliver to redis-streams',
        },
      ],
    },
    {
      what: 'a leader that moves',
      series: both('tickline_sink_healthy', kafka, '1x5 0x1 1x20', '1x30'),
      at: '7m',
      fires: [],
    },
  ],
  TicklineProduceErrors: [
    {
      what: 'six in five minutes, for longer than a restart of brokers',
      series: series('tickline_sink_errors_total', first, { ...kafka, code: 'CONNECTION' }, '0+1.2x90'),
      at: '25m',
      fires: [
        { labels: { ...kafka, code: 'CONNECTION' }, summary: 'kafka answers CONNECTION again and again' },
      ],
    },
    {
      what: 'five',
      series: series('tickline_sink_errors_total', first, { ...kafka, code: 'CONNECTION' }, '0+1x90'),
      at: '60m',
      fires: [],
    },
    {
      what: 'brokers that restart one after another for ten minutes',
      series: series(
        'tickline_sink_errors_total',
        first,
        { ...kafka, code: 'NOT_LEADER_OR_FOLLOWER' },
        '0x10 0+40x10 400x60',
      ),
      at: '21m',
      fires: [],
    },
    {
      what: 'calls of gRPC clients that failed are the clients’ business',
      series: series(
        'tickline_sink_errors_total',
        first,
        { sink: 'grpc', code: 'UNAUTHENTICATED' },
        '0+100x90',
      ),
      at: '60m',
      fires: [],
    },
  ],
  TicklineQueueHigh: [
    {
      what: 'above 70 % of Kafka’s',
      series: {
        ...both('tickline_sink_healthy', kafka, '1x30', '1x30'),
        ...both('tickline_sink_queue_bytes', kafka, '71x30', '1x30'),
        ...both('tickline_sink_queue_limit_bytes', kafka, '100x30', '100x30'),
      },
      at: '2m',
      fires: [{ labels: kafka, summary: 'The queue for Kafka is 71% full' }],
    },
    {
      what: 'above 70 % of that for Redis: nobody is woken',
      series: {
        ...both('tickline_sink_queue_bytes', { sink: 'redis-streams' }, '90x30', '1x30'),
        ...both('tickline_sink_queue_limit_bytes', { sink: 'redis-streams' }, '100x30', '100x30'),
      },
      at: '2m',
      fires: [
        {
          severity: 'warning',
          labels: { sink: 'redis-streams' },
          summary: 'The queue for redis-streams is 90% full',
        },
      ],
    },
    {
      what: '70 %',
      series: {
        ...both('tickline_sink_queue_bytes', kafka, '70x90', '1x90'),
        ...both('tickline_sink_queue_limit_bytes', kafka, '100x90', '100x90'),
      },
      at: '60m',
      fires: [],
    },
    {
      what: 'Kafka does not answer, which is told by its own alert',
      series: {
        ...both('tickline_sink_healthy', kafka, '0x90', '1x90'),
        ...both('tickline_sink_queue_bytes', kafka, '99x90', '1x90'),
        ...both('tickline_sink_queue_limit_bytes', kafka, '100x90', '100x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineRecordsDropped: [
    {
      what: 'ticks for Kafka',
      series: both('tickline_sink_shed_total', kafka, '0x10 0+50x80', '0x90'),
      at: '30m',
      fires: [{ labels: kafka, summary: '500 ticks for Kafka were lost in 10 minutes' }],
    },
    {
      what: 'status records',
      series: both('tickline_status_records_refused_total', {}, '0+1x90', '0x90'),
      at: '20m',
      fires: [{ summary: '10 status records were lost in 10 minutes' }],
    },
    {
      what: 'ticks for Redis: nobody is woken',
      series: both('tickline_sink_shed_total', { sink: 'redis-pubsub' }, '0+1x90', '0+1x90'),
      at: '20m',
      fires: [
        {
          severity: 'warning',
          labels: { sink: 'redis-pubsub' },
          summary: '20 ticks for redis-pubsub were lost in 10 minutes',
        },
      ],
    },
    {
      what: 'nothing since a quarter of an hour; a slow gRPC client’s loss is its own',
      series: {
        ...both('tickline_sink_shed_total', kafka, '0x10 70x80', '0x90'),
        ...both('tickline_sink_shed_total', { sink: 'grpc' }, '0+9x90', '0x90'),
        ...both('tickline_status_records_refused_total', {}, '0x90', '0x90'),
      },
      at: '30m',
      fires: [],
    },
  ],
  TicklineAcknowledgementSlow: [
    {
      what: 'two of a hundred take above a second',
      series: buckets('tickline_sink_acknowledgement_seconds', first, kafka, {
        1: '98',
        2.5: '100',
        '+Inf': '100',
      }),
      at: '25m',
      fires: [{ labels: kafka, summary: 'Kafka takes 1.75s to acknowledge' }],
    },
    {
      what: 'one of a hundred does',
      series: buckets('tickline_sink_acknowledgement_seconds', first, kafka, {
        1: '99',
        2.5: '100',
        '+Inf': '100',
      }),
      at: '60m',
      fires: [],
    },
  ],
  TicklineSidecarLostIngestor: [
    {
      what: 'no answer for five minutes',
      series: both('tickline_ingestor_up', {}, '0x30', '1x30'),
      at: '5m',
      fires: [
        {
          labels: without(first),
          summary: 'The ingestor of pod shard-0 does not answer its sidecar',
        },
      ],
    },
    {
      what: 'a restart of three minutes',
      series: both('tickline_ingestor_up', {}, '1x5 0x3 1x20', '1x30'),
      at: '9m',
      fires: [],
    },
    {
      what: 'a pod that is gone, whose sidecar outlived its ingestor for a minute',
      series: both('tickline_ingestor_up', {}, '1x5 0x1 _x60', '1x90'),
      at: '30m',
      fires: [],
    },
  ],
  TicklineSidecarMissing: [
    {
      what: 'one of two',
      series: { ...fleet, ...series('tickline_ingestor_up', sidecar('shard-0'), {}, '1x90') },
      at: '15m',
      fires: [{ summary: '1 pods have no sidecar that is scraped' }],
    },
    {
      what: 'all of them: there is no series to count',
      series: fleet,
      at: '15m',
      fires: [{ summary: '2 pods have no sidecar that is scraped' }],
    },
    {
      what: 'none; one pod’s ingestor is gone and its sidecar says so',
      series: {
        ...pod(0),
        ...series('tickline_ingestor_up', sidecar('shard-0'), {}, '1x90'),
        ...series('tickline_ingestor_up', sidecar('shard-1'), {}, '0x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineIngestorRestarting: [
    {
      what: 'three times in half an hour',
      series: series('tickline_ingestor_restarts_total', sidecar('shard-0'), {}, '0x5 1x4 2x4 3x80'),
      at: '31m',
      fires: [
        {
          labels: without(sidecar('shard-0')),
          summary: 'The ingestor of pod shard-0 restarts again and again',
        },
      ],
    },
    {
      what: 'twice',
      series: series('tickline_ingestor_restarts_total', sidecar('shard-0'), {}, '0x10 1x9 2x80'),
      at: '31m',
      fires: [],
    },
  ],
  TicklineDrainTimeout: [
    {
      what: 'one scrape told it before the pod was gone',
      series: series('tickline_drain_unacknowledged_records', first, {}, '0x9 1200 _x60'),
      at: '20m',
      fires: [{ labels: without(first), summary: 'Pod shard-0 ended with 1200 records unacknowledged' }],
    },
    {
      what: 'a quarter of an hour later it was told long enough',
      series: series('tickline_drain_unacknowledged_records', first, {}, '0x9 1200 _x60'),
      at: '27m',
      fires: [],
    },
    {
      what: 'a pod that ended with everything acknowledged',
      series: series('tickline_drain_unacknowledged_records', first, {}, '0x10 _x60'),
      at: '12m',
      fires: [],
    },
  ],
  TicklineMemoryNearLimit: [
    {
      what: 'above 90 % of the container’s',
      series: {
        ...fleet,
        ...both('process_resident_memory_bytes', {}, '950x90', '500x90'),
        ...both('tickline_memory_limit_bytes', {}, '1000x90', '1000x90'),
        ...both('nodejs_heap_size_used_bytes', {}, '100x90', '100x90'),
        ...both('tickline_heap_limit_bytes', {}, '500x90', '500x90'),
      },
      at: '10m',
      fires: [{ labels: shard0, summary: 'Shard 0 takes 95% of its memory' }],
    },
    {
      what: 'above 90 % of the heap’s',
      series: {
        ...fleet,
        ...both('process_resident_memory_bytes', {}, '500x90', '500x90'),
        ...both('tickline_memory_limit_bytes', {}, '1000x90', '1000x90'),
        ...both('nodejs_heap_size_used_bytes', {}, '455x90', '100x90'),
        ...both('tickline_heap_limit_bytes', {}, '500x90', '500x90'),
      },
      at: '10m',
      fires: [{ labels: shard0, summary: 'Shard 0 takes 91% of its memory' }],
    },
    {
      what: '90 % of both',
      series: {
        ...fleet,
        ...both('process_resident_memory_bytes', {}, '900x90', '900x90'),
        ...both('tickline_memory_limit_bytes', {}, '1000x90', '1000x90'),
        ...both('nodejs_heap_size_used_bytes', {}, '450x90', '450x90'),
        ...both('tickline_heap_limit_bytes', {}, '500x90', '500x90'),
      },
      at: '60m',
      fires: [],
    },
  ],
  TicklineCpuSaturated: [
    {
      what: '90 % of a core',
      series: { ...fleet, ...both('process_cpu_seconds_total', {}, '0+54x90', '0+30x90') },
      at: '25m',
      fires: [{ labels: shard0, summary: 'Shard 0 uses 90% of a core' }],
    },
    {
      what: '80 %',
      series: { ...fleet, ...both('process_cpu_seconds_total', {}, '0+48x90', '0+30x90') },
      at: '60m',
      fires: [],
    },
    {
      what: 'another process of the release that is no ingestor',
      series: { ...fleet, ...series('process_cpu_seconds_total', sidecar('shard-0'), {}, '0+60x90') },
      at: '60m',
      fires: [],
    },
  ],
};
