import { EXCHANGES } from '@tickline/schemas';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { SinkName } from './sinks.ts';
import { type DemoView, progressLine, renderView, type SinkView } from './view.ts';

const view: DemoView = {
  live: false,
  seconds: 42.4,
  durationSeconds: null,
  rate: 5_000,
  servers: ['Kafka 127.0.0.1:9092', 'registry http://127.0.0.1:8080/apis/ccompat/v7'],
  logFolder: '.tickline/demo/7',
  exchanges: EXCHANGES.map((exchange) => ({
    exchange,
    framesPerSecond: 1_250.4,
    sockets: 2,
    liveSubscriptions: 50,
    subscriptions: 50,
    reconnects: 0,
    p50Ms: 3.14,
    p99Ms: 12.5,
    exchangeMs: { p50: 40, p99: 90 },
    acknowledged: 52_112,
    readBack: 52_110,
    onTheWay: 2,
    trouble: null,
  })),
  sinks: [sink('kafka')],
  pods: [0, 1].map((index) => ({
    shard: `${index} of 2`,
    phase: 'running',
    ready: true,
    health: 'up',
    healthy: true,
    cpuPercent: 31.2,
    rssBytes: 142_000_000,
    queuedBytes: 0,
    queueLimitBytes: 128_000_000,
    trouble: null,
  })),
  samples: [
    {
      exchange: 'okx',
      symbol: 'BTC-USDT',
      quote: { bidPrice: '64250.1', bidQuantity: '0.5', askPrice: null, askQuantity: null },
      trade: { price: '64250.123456789012345678', quantity: '1', side: 'sell' },
      ageMs: 12,
    },
  ],
  news: ['17:03:12 okx BTC-USDT trades: gap, socket closed (ids 4 to 9)'],
  footer: 'Ctrl-C stops everything',
};

/** The same with all sinks, of which one drops. */
const all: DemoView = {
  ...view,
  sinks: [sink('kafka'), sink('redisStreams'), { ...sink('redisPubSub'), lost: 17 }, sink('grpc')],
};

function sink(name: SinkName): SinkView {
  return { sink: name, delivered: 208_440, lost: 0, ticksPerSecond: 5_001.6, p50Ms: 1.25, p99Ms: 8.5 };
}

const plain = { columns: 160, rows: 50, colour: false };

describe('renderView', () => {
  it('shows every figure with its unit', () => {
    const text = renderView(view, plain).join('\n');
    for (const part of [
      'Tickline demo, simulated exchanges · 00:42 · 5,000 frames/s wanted',
      'Kafka 127.0.0.1:9092 · registry http://127.0.0.1:8080/apis/ccompat/v7',
      'frames/s',
      'p50, p99: from the simulator’s write to the subscriber’s read',
      'p50 ms',
      'p99 ms',
      'acked: ticks acknowledged by Kafka',
      '50/50',
      '200/200',
      '208,448',
      'shard 0 of 2',
      '31 %',
      '142 MB',
      '0 B of 128 MB',
      '64250.123456789012345678',
      'sell',
      '12 ms',
      'gap, socket closed (ids 4 to 9)',
      'Ctrl-C stops everything',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('\u001B');
  });

  it('aligns the tables', () => {
    const lines = renderView(view, plain);
    const at = lines.findIndex((line) => line.includes('EXCHANGE'));
    const widths = lines.slice(at, at + 6).map((line) => line.length);
    expect(new Set(widths)).toEqual(new Set([widths[0]]));
  });

  it('shows the sinks side by side, and none for Kafka alone', () => {
    expect(renderView(view, plain).join('\n')).not.toContain('SINK');
    const text = renderView(all, plain).join('\n');
    expect(text).toMatch(/SINK +delivered +lost +ticks\/s +delay p50 ms +delay p99 ms/);
    for (const title of ['Kafka', 'Redis Streams', 'gRPC']) {
      expect(text).toMatch(new RegExp(`${title} +208,440 +0 +5,002 +1\\.25 +8\\.50`));
    }
    expect(text).toMatch(/Redis Pub\/Sub +208,440 +17 /);
    expect(text).toContain('delay: from the pod’s socket to the subscriber’s read');
    expect(text).toContain('waiting for all sinks');
    expect(progressLine(all)).toContain('| Redis Pub/Sub 208,440 delivered 17 lost p50 1.25 ms');
  });

  it('speaks of the sink that leads where there is no Kafka', () => {
    const text = renderView({ ...view, sinks: [sink('grpc')] }, plain).join('\n');
    expect(text).toContain('acked: ticks written to gRPC clients');
    expect(text).toContain('waiting for gRPC');
  });

  it('tells the real exchanges apart: their latency, no ledger', () => {
    const text = renderView({ ...view, live: true }, plain).join('\n');
    expect(text).toContain('Tickline, real exchanges');
    expect(text).toContain('to us p50/p99 ms');
    expect(text).toContain('p50, p99: from our socket to the subscriber’s read');
    expect(text).toContain('40.0 / 90.0');
    expect(text).not.toContain('on the way');
    expect(text).not.toContain('wanted');
  });

  it('says why there is no data', () => {
    const exchanges = view.exchanges.map((e) => ({
      ...e,
      trouble: e.exchange === 'okx' ? 'waits for the listing: ENOTFOUND' : null,
    }));
    const pods = view.pods.map((pod) => ({ ...pod, trouble: 'kafka: no broker answers' }));
    const troubled = { ...view, exchanges, pods };
    expect(renderView(troubled, plain)).toContain(' okx: waits for the listing: ENOTFOUND');
    expect(renderView(troubled, plain)).toContain(' shard 1 of 2: kafka: no broker answers');
    expect(progressLine(troubled)).toContain('; okx: waits for the listing: ENOTFOUND');
  });

  it('keeps what matters on a terminal of 80 columns', () => {
    const lines = renderView(view, { ...plain, columns: 80 });
    const title = lines.find((line) => line.includes('EXCHANGE'))!;
    for (const name of ['frames/s', 'sockets', 'subs live', 'reconnects', 'p50 ms', 'p99 ms', 'acked']) {
      expect(title).toContain(name);
    }
  });

  it('has no empty tables', () => {
    const exchanges = view.exchanges.map((e) => ({ ...e, subscriptions: 0, liveSubscriptions: 0 }));
    const text = renderView({ ...view, exchanges, samples: [], news: [] }, plain).join('\n');
    expect(text).not.toMatch(/READ BACK|NEWS/);
  });

  it('uses the room that is left for what is smaller', () => {
    const text = renderView(all, { columns: 80, rows: 24, colour: false }).join('\n');
    for (const part of ['kraken', 'Redis Streams', 'shard 1 of 2', 'Ctrl-C']) expect(text).toContain(part);
  });

  it('fits every terminal: no line too wide, none too many, the exchanges last to go', () => {
    for (const columns of [20, 40, 60, 80, 100, 200]) {
      for (const rows of [3, 10, 16, 24, 40]) {
        for (const shown of [view, all]) {
          const lines = renderView(shown, { columns, rows, colour: false });
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(stringWidth(line)).toBeLessThan(columns);
          expect(lines[0]).toContain('Tickline demo'.slice(0, columns - 4));
          if (rows >= 10) expect(lines.join('\n')).toContain('kraken');
          if (rows >= 24 && shown === all) expect(lines.join('\n')).toContain('gRPC');
        }
      }
    }
  });
});

describe('progressLine', () => {
  it('is one line with what matters of each exchange', () => {
    const line = progressLine(view);
    expect(line).not.toContain('\n');
    expect(line).toContain('00:42');
    for (const exchange of EXCHANGES) {
      expect(line).toContain(`${exchange} 1,250 frames/s 52,110 read back p50 3.14 ms p99 12.5 ms`);
    }
  });
});
