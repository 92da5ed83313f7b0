import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { exampleConnection, exampleStatus } from './pod-status-example.ts';
import { View } from './view.ts';

const start = { wall: 0, monotonic: 0 };

describe('createMetrics', () => {
  it('says little before the first answer, and nothing that it does not know', async () => {
    const text = await createMetrics(new View(1_000, start), '1.0.0', () => start).metrics();
    expect(text).toContain('\ntickline_ingestor_up 0\n');
    expect(text).toContain('\ntickline_ingestor_state{state="unknown"} 1\n');
    expect(text).toContain('\ntickline_ingestor_restarts_total 0\n');
    expect(text).not.toMatch(/^tickline_(connection|shard|ingestor_status_age)\w*[{ ]/m);
  });

  it('reads the view at each scrape', async () => {
    const view = new View(1_000, start);
    const registry = createMetrics(view, '1.0.0', () => ({ wall: 5_000, monotonic: 5_000 }));
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
