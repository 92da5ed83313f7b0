import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Given, UnitTally } from '../sharding/unit-tally.ts';
import type { SinkReading } from '../sinks/sink.ts';
import { CHANNEL, ExchangeCounters } from './counters.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { createMetrics, type FeedReading, type MetricsSources } from './metrics.ts';

function sources(given: Partial<MetricsSources> = {}): MetricsSources {
  return {
    exchanges: () => [],
    sinks: () => [],
    sinkHealth: () => [],
    statusRecordsRefused: () => 0,
    ready: () => ({ ok: false }),
    version: '1.2.3',
    shard: { index: 1, count: 4 },
    shardsConfigured: 5,
    assignment: '0123456789ab',
    drainOutcome: { read: () => 0 },
    ...given,
  };
}

const tallies = new Map<Given, UnitTally>();

const feed: FeedReading = {
  activeConnections: () => 2,
  subscriptionCount: () => 7,
  reconnects: () => 3,
  listenerFailures: () => 1,
  connections: () => [
    { subscriptions: { requested: 1, acknowledged: 0, live: 2, stale: 0, rejected: 0 } },
    { subscriptions: { requested: 0, acknowledged: 0, live: 3, stale: 0, rejected: 0 } },
  ],
  notLive: () => [
    { connection: 'binance-0', state: 'requested' },
    { connection: null, state: 'rejected' },
  ],
};

function sink(): SinkReading {
  const ackLatencyMs = new LatencyHistogram();
  ackLatencyMs.observe(20);
  return {
    sink: 'kafka',
    queuedRecords: 10,
    queuedBytes: 2_000,
    queueLimitBytes: 64_000,
    acknowledged: 99,
    retries: 4,
    errorsByCode: new Map([['NOT_LEADER_OR_FOLLOWER', 4]]),
    ackLatencyMs,
    conflated: 5,
    shed: 6,
    deadLettersDropped: 7,
  };
}

describe('createMetrics', () => {
  it('counts as rejected what the exchange does not list, with and without a feed', async () => {
    const counters = new ExchangeCounters('kraken', ['not-json']);
    const notLive = () => [{ connection: null, state: 'rejected' as const }];
    for (const [own, live] of [
      [null, 0],
      [{ ...feed, notLive: () => [] }, 5],
    ] as const) {
      const reading = { counters, feed: own, notLive, tallies };
      const text = await createMetrics(sources({ exchanges: () => [reading] })).metrics();
      expect(text).toContain('tickline_subscriptions{exchange="kraken",state="rejected"} 1\n');
      expect(text).toContain(`tickline_subscriptions{exchange="kraken",state="live"} ${live}\n`);
    }
  });

  it('has every configured exchange at 0 before there is a feed', async () => {
    const counters = new ExchangeCounters('kraken', ['not-json']);
    const text = await createMetrics(
      sources({ exchanges: () => [{ counters, feed: null, tallies }] }),
    ).metrics();
    for (const line of [
      'ws_messages_received_total{exchange="kraken",channel="trades"} 0',
      'ws_messages_received_total{exchange="kraken",channel="quotes"} 0',
      'ws_messages_received_total{exchange="kraken",channel="control"} 0',
      'ws_message_latency_ms_bucket{le="0.5",exchange="kraken"} 0',
      'ws_message_latency_ms_bucket{le="+Inf",exchange="kraken"} 0',
      'ws_message_latency_ms_count{exchange="kraken"} 0',
      'ws_reconnects_total{exchange="kraken"} 0',
      'ws_active_connections{exchange="kraken"} 0',
      'ws_subscription_count{exchange="kraken"} 0',
      'tickline_clock_skew_messages_total{exchange="kraken"} 0',
      'tickline_invalid_frames_total{exchange="kraken",reason="not-json"} 0',
      'tickline_gaps_total{exchange="kraken",channel="trades"} 0',
      'tickline_subscriptions{exchange="kraken",state="live"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('reads its sources at each scrape and adds nothing up itself', async () => {
    const counters = new ExchangeCounters('binance', []);
    const registry = createMetrics(
      sources({
        exchanges: () => [{ counters, feed, tallies }],
        sinks: () => [sink()],
        sinkHealth: () => [
          { sink: 'kafka', healthy: true },
          { sink: 'grpc', healthy: false },
        ],
      }),
    );
    counters.messages[CHANNEL.trades]! += 5;
    counters.observeLatency(3_000, 0);
    counters.observeLatency(0, 1);
    await registry.metrics();
    counters.messages[CHANNEL.trades]!++;
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      'ws_messages_received_total{exchange="binance",channel="trades"} 6',
      'ws_message_latency_ms_bucket{le="2",exchange="binance"} 0',
      'ws_message_latency_ms_bucket{le="5",exchange="binance"} 1',
      'ws_message_latency_ms_bucket{le="+Inf",exchange="binance"} 1',
      'ws_message_latency_ms_sum{exchange="binance"} 3',
      'ws_message_latency_ms_count{exchange="binance"} 1',
      'tickline_clock_skew_messages_total{exchange="binance"} 1',
      'ws_reconnects_total{exchange="binance"} 3',
      'ws_active_connections{exchange="binance"} 2',
      'ws_subscription_count{exchange="binance"} 7',
      'tickline_subscriptions{exchange="binance",state="live"} 5',
      'tickline_subscriptions{exchange="binance",state="requested"} 1',
      'tickline_subscriptions{exchange="binance",state="rejected"} 1',
      'tickline_sink_queue_records{sink="kafka"} 10',
      'tickline_sink_queue_bytes{sink="kafka"} 2000',
      'tickline_sink_queue_limit_bytes{sink="kafka"} 64000',
      'tickline_sink_records_acknowledged_total{sink="kafka"} 99',
      'tickline_sink_retries_total{sink="kafka"} 4',
      'tickline_sink_errors_total{sink="kafka",code="NOT_LEADER_OR_FOLLOWER"} 4',
      'tickline_sink_acknowledgement_seconds_bucket{le="0.025",sink="kafka"} 1',
      'tickline_sink_acknowledgement_seconds_bucket{le="0.01",sink="kafka"} 0',
      'tickline_sink_acknowledgement_seconds_sum{sink="kafka"} 0.02',
      'tickline_sink_conflated_total{sink="kafka"} 5',
      'tickline_sink_shed_total{sink="kafka"} 6',
      'tickline_sink_dead_letters_dropped_total{sink="kafka"} 7',
      'tickline_ready 0',
      'tickline_sink_healthy{sink="kafka"} 1',
      'tickline_sink_healthy{sink="grpc"} 0',
      'tickline_least_latency_seconds{exchange="binance"} -0.000001',
      'tickline_shards_configured 5',
      'tickline_assignment_info{assignment="0123456789ab"} 1',
      'tickline_drain_unacknowledged_records 0',
      'tickline_pod_shard_info{shard="1",shards="4"} 1',
      `tickline_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('tells configured and owned units by how they are given, with the sums of their hashes', async () => {
    const counters = new ExchangeCounters('okx', []);
    const reading = {
      counters,
      feed: null,
      tallies: new Map<Given, UnitTally>([
        ['name', { configured: { count: 3, hash: 900 }, owned: { count: 2, hash: 500 } }],
      ]),
    };
    const text = await createMetrics(sources({ exchanges: () => [reading] })).metrics();
    expect(text.split('\n').filter((line) => line.startsWith('tickline_units_'))).toEqual([
      'tickline_units_configured{exchange="okx",given="name"} 3',
      'tickline_units_configured_hash{exchange="okx",given="name"} 900',
      'tickline_units_owned{exchange="okx",given="name"} 2',
      'tickline_units_owned_hash{exchange="okx",given="name"} 500',
    ]);
  });

  it('has no least latency while nothing carried a time', async () => {
    const counters = new ExchangeCounters('okx', []);
    const text = await createMetrics(
      sources({ exchanges: () => [{ counters, feed: null, tallies }] }),
    ).metrics();
    expect(text).not.toContain('tickline_least_latency_seconds{');
  });

  it('tells limits of memory that are above what is taken and not beyond the machine', async () => {
    const text = await createMetrics(sources()).metrics();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(value('tickline_memory_limit_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'));
    expect(value('tickline_memory_limit_bytes')).toBeLessThanOrEqual(totalmem());
    expect(value('tickline_heap_limit_bytes')).toBeGreaterThan(value('nodejs_heap_size_used_bytes'));
  });

  it('also answers as JSON with the same histogram', async () => {
    const counters = new ExchangeCounters('okx', []);
    counters.observeLatency(700, 0);
    const registry = createMetrics(sources({ exchanges: () => [{ counters, feed: null, tallies }] }));
    const metrics = await registry.getMetricsAsJSON();
    const latency = metrics.find(({ name }) => name === 'ws_message_latency_ms')!;
    expect(latency.values.map(({ value }) => value)).toEqual([
      0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.7, 1,
    ]);
  });

  it('gives two pods in one process registries of their own', async () => {
    const one = createMetrics(sources({ ready: () => ({ ok: true }) }));
    const two = createMetrics(sources());
    expect(await one.metrics()).toContain('tickline_ready 1');
    expect(await two.metrics()).toContain('tickline_ready 0');
  });
});
