import type { ExchangeName } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import type { SinkName } from './sinks.ts';
import {
  type ExchangeResult,
  faultsOf,
  isGood,
  noResults,
  type Results,
  renderSummary,
  resultJson,
  type SinkResult,
} from './summary.ts';

const well: ExchangeResult = {
  frames: 1_010,
  produced: 1_000,
  readBack: 1_000,
  lost: 0,
  p50Ms: 4.18159,
  p99Ms: 12.5,
  duplicates: 0,
  unexplained: 0,
  trouble: null,
};
const good: Results = {
  exchanges: { binance: well, 'bybit-spot': well, okx: well, kraken: well },
  sinks: [sink('kafka')],
};
const lossy = withExchange('okx', { lost: 7 });
const silent = withExchange('kraken', { readBack: 0, trouble: 'waits for the listing' });
const besideKafka: Results = {
  ...good,
  sinks: [sink('kafka'), sink('redisStreams'), sink('redisPubSub', { lost: 3 }), sink('grpc')],
};

function withExchange(exchange: ExchangeName, changes: Partial<ExchangeResult>): Results {
  return { ...good, exchanges: { ...good.exchanges, [exchange]: { ...well, ...changes } } };
}

function sink(name: SinkName, changes: Partial<SinkResult> = {}): SinkResult {
  return { sink: name, delivered: 4_000, lost: 0, duplicates: 0, p50Ms: 1.5, p99Ms: 9, ...changes };
}

describe('resultJson', () => {
  it('has exactly the promised form', () => {
    const figures = { frames: 1010, produced: 1000, readBack: 1000, lost: 0, p50Ms: 4.182, p99Ms: 12.5 };
    expect(JSON.parse(resultJson(good, null))).toEqual({
      exchanges: { binance: figures, 'bybit-spot': figures, okx: figures, kraken: figures },
      ok: true,
    });
    expect(resultJson(good, null)).toMatch(/^\{"exchanges":\{"binance":\{"frames":1010,"produced":1000,/);
  });

  it('has the sinks beside Kafka, where they were asked for', () => {
    const delivered = { delivered: 4_000, lost: 0 };
    expect(JSON.parse(resultJson(besideKafka, null))).toMatchObject({
      sinks: { redisStreams: delivered, redisPubSub: { delivered: 4_000, lost: 3 }, grpc: delivered },
      ok: true,
    });
    const parsed = JSON.parse(resultJson({ ...good, sinks: [sink('grpc')] }, null)) as object;
    expect(Object.keys(parsed)).toEqual(['exchanges', 'sinks', 'ok']);
    expect(parsed).toMatchObject({ sinks: { grpc: delivered } });
    expect(JSON.parse(resultJson(noResults(false, ['kafka', 'grpc']), 'no Java'))).toMatchObject({
      sinks: { grpc: { delivered: 0, lost: 0 } },
    });
  });

  it('is not ok when something was lost, an exchange is silent or a part failed', () => {
    for (const [results, error] of [
      [lossy, null],
      [silent, null],
      [good, 'pod 0 died'],
    ] as const) {
      expect(JSON.parse(resultJson(results, error))).toMatchObject({ ok: false });
      expect(isGood(results, error)).toBe(false);
    }
    expect(JSON.parse(resultJson(good, 'pod 0 died'))).toMatchObject({ error: 'pod 0 died' });
  });

  it('has the form with zeros when nothing came up, and no ledger for the real exchanges', () => {
    const zeros = { frames: 0, produced: 0, readBack: 0, lost: 0, p50Ms: 0, p99Ms: 0 };
    const parsed = JSON.parse(resultJson(noResults(false, ['kafka']), 'no Java')) as object;
    expect(parsed).toMatchObject({ exchanges: { binance: zeros, kraken: zeros }, ok: false });
    expect(JSON.parse(resultJson(noResults(true, ['kafka']), 'no Java'))).toMatchObject({
      exchanges: { okx: { ...zeros, lost: null } },
    });
  });
});

describe('faultsOf', () => {
  it('names the exchange and why', () => {
    expect(faultsOf(good)).toEqual([]);
    expect(faultsOf(lossy)).toEqual(['okx: 7 ticks were lost']);
    expect(faultsOf(silent)).toEqual(['kraken: nothing was read back (waits for the listing)']);
  });

  it('takes a loss for a fault at every sink but Pub/Sub', () => {
    const with_ = (...sinks: SinkResult[]) => faultsOf({ ...good, sinks: [sink('kafka'), ...sinks] });
    expect(faultsOf(besideKafka)).toEqual([]);
    expect(with_(sink('redisStreams', { lost: 1_200 }))).toEqual(['Redis Streams: 1,200 ticks were lost']);
    expect(with_(sink('grpc', { lost: 1 }))).toEqual(['gRPC: 1 ticks were lost']);
    expect(with_(sink('redisPubSub', { delivered: 0 }))).toEqual(['Redis Pub/Sub: nothing was delivered']);
  });

  it('can not know what the real exchanges sent', () => {
    expect(faultsOf(withExchange('okx', { lost: null }))).toEqual([]);
  });
});

describe('renderSummary', () => {
  it('shows the figures and the verdict', () => {
    const text = renderSummary(good, 20.2, false, 120, false).join('\n');
    expect(text).toContain('Summary of 00:20');
    expect(text).toMatch(/binance +1,010 +1,000 +1,000 +0 +0 +4\.18 +12\.5/);
    expect(text).toContain('Nothing was lost.');
    expect(text).not.toContain('SINK');
  });

  it('puts the sinks side by side', () => {
    const text = renderSummary(besideKafka, 20.2, false, 120, false).join('\n');
    expect(text).toMatch(/SINK +delivered +lost +duplicates +delay p50 ms +delay p99 ms/);
    expect(text).toMatch(/Redis Pub\/Sub +4,000 +3 +0 +1\.50 +9\.00/);
    expect(text).toContain('3 ticks were dropped by Redis Pub/Sub, as it may. All else arrived.');
  });

  it('says what is not good', () => {
    const odd = { ...lossy, exchanges: { ...lossy.exchanges, binance: { ...well, unexplained: 3 } } };
    const text = renderSummary(odd, 20.2, false, 120, false).join('\n');
    expect(text).toContain('okx: 7 ticks were lost');
    expect(text).toContain('binance: 3 records were read back that the simulator did not write');
    expect(text).not.toContain('Nothing was lost.');
  });

  it('speaks of no ledger for the real exchanges', () => {
    const text = renderSummary(good, 20.2, true, 120, false).join('\n');
    expect(text).not.toMatch(/lost|duplicates/);
    expect(text).toContain('Every exchange was read back.');
  });
});
