import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { Peers } from './peers.ts';
import { exampleConnection, exampleStatus } from './pod-status-example.ts';
import { View } from './view.ts';

const start = { wall: 0, monotonic: 0 };

function registryOf(view: View, now = start, addresses: readonly string[] = []) {
  const peers = new Peers({ host: null, port: 1, addresses, timeoutMs: 1, self: 'self', cookie: () => null });
  const events = { size: 3, dropped: 1 };
  return createMetrics({ view, peers, events, access: { refused: 2 }, version: '1.0.0', now: () => now });
}

describe('createMetrics', () => {
  it('says little before the first answer, and nothing that it does not know', async () => {
    const text = await registryOf(new View(1_000, start)).metrics();
    expect(text).toContain('\ntickline_ingestor_up 0\n');
    expect(text).toContain('\ntickline_ingestor_state{state="unknown"} 1\n');
    expect(text).toContain('\ntickline_ingestor_restarts_total 0\n');
    expect(text).not.toMatch(/^tickline_(connection|shard|ingestor_status_age|sidecar_peers)\w*[{ ]/m);
  });

  it('reads the view at each scrape', async () => {
    const view = new View(1_000, start);
    const registry = registryOf(view, { wall: 5_000, monotonic: 5_000 }, ['a:1', 'b:1']);
    const connections = [exampleConnection({ reconnects: { silence: 2 } })];
    view.apply({ kind: 'answered', status: exampleStatus({ connections }) }, start);
    const lines = (await registry.metrics()).split('\n');
    for (const line of [
      'tickline_ingestor_up 1',
      'tickline_ingestor_state{state="up"} 1',
      'tickline_ingestor_state{state="hung"} 0',
      'tickline_ingestor_status_age_seconds 5',
      'tickline_connection_up{exchange="binance",connection="binance-0"} 1',
      'tickline_connection_data_age_seconds{exchange="binance",connection="binance-0"} 7',
      'tickline_connection_reconnects_total{exchange="binance",connection="binance-0",reason="silence"} 2',
      'tickline_shard_info{shard="1",shards="2"} 1',
      'tickline_sidecar_build_info{version="1.0.0"} 1',
      'tickline_sidecar_peers{state="unknown"} 2',
      'tickline_sidecar_peers{state="answers"} 0',
      'tickline_sidecar_page_readers 3',
      'tickline_sidecar_page_readers_dropped_total 1',
      'tickline_sidecar_tokens_refused_total 2',
    ]) {
      expect(lines).toContain(line);
    }
    view.apply({ kind: 'hung', reason: 'x' }, start);
    const after = (await registry.metrics()).split('\n');
    expect(after).toContain('tickline_ingestor_up 0');
    expect(after).toContain('tickline_ingestor_state{state="hung"} 1');
    expect(after).toContain('tickline_connection_up{exchange="binance",connection="binance-0"} 0');
  });
});
