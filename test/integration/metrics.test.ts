import { EXCHANGES } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import type { SinkReading } from '../../services/ingestor/src/sinks/sink.ts';
import { ExchangeCounters } from '../../services/ingestor/src/telemetry/counters.ts';
import { LatencyHistogram } from '../../services/ingestor/src/telemetry/latency-histogram.ts';
import { createMetrics } from '../../services/ingestor/src/telemetry/metrics.ts';
import { createMetrics as createSidecarMetrics } from '../../services/sidecar/src/metrics.ts';
import { Peers } from '../../services/sidecar/src/peers.ts';
import { exampleConnection, exampleStatus } from '../../services/sidecar/src/pod-status-example.ts';
import { View } from '../../services/sidecar/src/view.ts';
import { checkMetrics } from './promtool.ts';

/** The ingestor's metrics with a sample in every one of them. */
async function ingestorMetrics(): Promise<string> {
  const exchanges = EXCHANGES.map((exchange) => {
    const counters = new ExchangeCounters(exchange, ['not-json']);
    counters.observeLatency(5_000, 0);
    const none = { configured: { count: 0, hash: 0 }, owned: { count: 0, hash: 0 } };
    return { counters, feed: null, tallies: new Map([['name' as const, none]]) };
  });
  const ackLatencyMs = new LatencyHistogram();
  ackLatencyMs.observe(3);
  const sink: SinkReading = {
    sink: 'kafka',
    queuedRecords: 1,
    queuedBytes: 1,
    queueLimitBytes: 1,
    acknowledged: 1,
    retries: 1,
    errorsByCode: new Map([['NOT_LEADER_OR_FOLLOWER', 1]]),
    ackLatencyMs,
    conflated: 1,
    shed: 1,
    deadLettersDropped: 1,
  };
  return await createMetrics({
    exchanges: () => exchanges,
    sinks: () => [sink],
    sinkHealth: () => [{ sink: 'kafka', healthy: true }],
    statusRecordsRefused: () => 0,
    ready: () => ({ ok: true }),
    version: '1.0.0',
    shard: { index: 0, count: 1 },
    shardsConfigured: 1,
    assignment: '0123456789ab',
    drainOutcome: { read: () => 0 },
  }).metrics();
}

async function sidecarMetrics(): Promise<string> {
  const now = { wall: 1_000, monotonic: 1_000 };
  const view = new View(1_000, now);
  const connections = [exampleConnection({ reconnects: { silence: 1 } })];
  view.apply({ kind: 'answered', status: exampleStatus({ connections }) }, now);
  const addresses = ['127.0.0.1:1'];
  const peers = new Peers({ host: null, port: 1, addresses, timeoutMs: 1, self: 'self', cookie: () => null });
  return await createSidecarMetrics({
    view,
    peers,
    events: { size: 0, dropped: 0 },
    access: { refused: 0 },
    version: '1.0.0',
    now: () => now,
  }).metrics();
}

function names(exposition: string): string[] {
  return [...exposition.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
}

describe('metrics', () => {
  it('of the ingestor: promtool remarks on two given names only', async () => {
    expect(checkMetrics(await ingestorMetrics())).toEqual([
      'ws_message_latency_ms metric names should not contain abbreviated units',
      'ws_subscription_count non-histogram and non-summary metrics should not have "_count" suffix',
    ]);
  });

  it('of the sidecar: promtool remarks on nothing', async () => {
    expect(checkMetrics(await sidecarMetrics())).toEqual([]);
  });

  it('have the names of the mission, with their labels', async () => {
    const exposition = await ingestorMetrics();
    const labels = (name: string) =>
      new Set(
        [...exposition.matchAll(new RegExp(`^${name}\\{([^}]*)\\}`, 'gm'))].map((match) =>
          match[1]!.replace(/="[^"]*"/g, ''),
        ),
      );
    expect(labels('ws_messages_received_total')).toEqual(new Set(['exchange,channel']));
    expect(labels('ws_message_latency_ms_bucket')).toEqual(new Set(['le,exchange']));
    expect(labels('ws_message_latency_ms_count')).toEqual(new Set(['exchange']));
    expect(labels('ws_reconnects_total')).toEqual(new Set(['exchange']));
    expect(labels('ws_active_connections')).toEqual(new Set(['exchange']));
    expect(labels('ws_subscription_count')).toEqual(new Set(['exchange']));
    for (const exchange of EXCHANGES)
      expect(exposition).toContain(`ws_reconnects_total{exchange="${exchange}"} 0`);
  });

  it('have no name in both processes of a pod: nothing is counted twice', async () => {
    const ofIngestor = new Set(names(await ingestorMetrics()));
    const ofSidecar = names(await sidecarMetrics());
    expect(ofSidecar.length).toBeGreaterThan(5);
    expect(ofSidecar.filter((name) => ofIngestor.has(name))).toEqual([]);
  });
});
