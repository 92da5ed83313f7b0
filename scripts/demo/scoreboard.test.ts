import { EXCHANGES, type ExchangeName, type PodStatus } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { Scoreboard } from './scoreboard.ts';
import { tickIdentity } from './tick-identity.ts';

function pod(
  changes: Partial<PodStatus['exchanges'][number]> = {},
  queuedRecords = 0,
  sink = 'kafka',
): PodStatus {
  return {
    version: '0.1.0',
    producer: 'p',
    pid: 1,
    startedAt: 0,
    now: 0,
    phase: 'running',
    shard: { index: 0, count: 2 },
    ready: true,
    notReady: null,
    cpuSeconds: 1,
    rssBytes: 1,
    exchanges: EXCHANGES.map((exchange) => ({
      exchange,
      owned: 4,
      messages: 110,
      ticks: 100,
      invalid: 0,
      gaps: 0,
      reconnects: 1,
      latencyMs: { p50: 2, p99: 9 },
      waitingFor: null,
      ...changes,
    })),
    connections: EXCHANGES.map((exchange) => ({
      exchange,
      connection: `${exchange}-0`,
      state: 'open',
      session: 's',
      openedAt: 0,
      lastFrameAt: 0,
      lastDataAt: 0,
      messages: 110,
      reconnects: {},
      subscriptions: { requested: 0, acknowledged: 1, live: 3, stale: 0, rejected: 0 },
    })),
    notLive: [],
    sinks: [
      {
        sink,
        healthy: true,
        detail: null,
        queuedRecords,
        queuedBytes: 0,
        queueLimitBytes: 1,
        acknowledged: 400,
        dropped: 0,
      },
    ],
  };
}

const stamp = (exchange: ExchangeName, id: string) => ({
  exchange,
  symbol: 'BTC-USDT',
  exchangeSymbol: 'BTCUSDT',
  exchangeTime: 1,
  receiveTime: 5_000,
  id,
  producer: 'p',
  sequence: Number(id),
  conflated: 0,
});

function written(id: string, writeTime: number) {
  const identity = tickIdentity({ channel: 'trades', exchangeSymbol: 'BTCUSDT', id, exchangeTime: 1 });
  return { identity, writeTime, owed: true };
}

describe('Scoreboard', () => {
  it('sums the pods and matches ledger and topic', () => {
    const board = new Scoreboard(false, ['kafka']);
    expect(board.firstTickAt).toBeNull();
    board.reconciler('okx').wrote(written('1', 1_000));
    board.reconciler('okx').wrote(written('2', 1_000));
    board.tick('kafka', 'trades', stamp('okx', '1'), 9_000);
    expect(board.firstTickAt).not.toBeNull();
    expect(board.onTheWay).toBe(1);
    const view = board.views([pod({}, 30), pod()]).find(({ exchange }) => exchange === 'okx')!;
    expect(view).toMatchObject({
      sockets: 2,
      liveSubscriptions: 6,
      subscriptions: 8,
      reconnects: 2,
      // At least what does not wait: 100 - 30 and 100.
      acknowledged: 170,
      readBack: 1,
      onTheWay: 1,
      exchangeMs: { p50: 2, p99: 9 },
    });
    expect(view.p50Ms).toBeCloseTo(8, 0);
    const { okx, kraken } = board.results([pod(), pod()], true).exchanges;
    expect(okx).toMatchObject({ frames: 220, produced: 200, readBack: 1, lost: 1, duplicates: 0 });
    expect(kraken).toMatchObject({ readBack: 0, lost: 0, p50Ms: null });
  });

  it('measures from our socket on against the real exchanges, and has no ledger', () => {
    const board = new Scoreboard(true, ['kafka']);
    board.tick('kafka', 'quotes', stamp('kraken', '1'), 7_000);
    const { kraken } = board.results([], false).exchanges;
    expect(kraken).toMatchObject({
      readBack: 1,
      produced: 1,
      lost: null,
      duplicates: null,
      unexplained: null,
    });
    expect(kraken.p50Ms).toBeCloseTo(2, 1);
    expect(board.views([])[3]).toMatchObject({ onTheWay: null, exchangeMs: null });
  });

  it('puts the sinks side by side, and goes by the leading one for the exchanges', () => {
    const board = new Scoreboard(false, ['redisStreams', 'redisPubSub', 'grpc']);
    for (const id of ['1', '2', '3', '4']) {
      board.reconciler('okx').wrote(written(id, 1_000));
      board.tick('redisStreams', 'trades', stamp('okx', id), 9_000);
    }
    for (const id of ['1', '3']) board.tick('redisPubSub', 'trades', stamp('okx', id), 6_000);
    for (const id of ['2', '3', '3']) board.tick('grpc', 'trades', stamp('okx', id), 7_000);
    const sinks = board.sinkViews();
    expect(sinks).toMatchObject([
      { sink: 'redisStreams', delivered: 4, lost: 0 },
      { sink: 'redisPubSub', delivered: 2, lost: 1 },
      { sink: 'grpc', delivered: 2, lost: 0 },
    ]);
    expect(sinks[1]!.p50Ms).toBeCloseTo(1, 1);
    // The end that the others have, too; the ticks before the first are none of theirs.
    const { exchanges, sinks: results } = board.results([pod({}, 30, 'redis-streams')], true);
    expect(results).toMatchObject([
      { lost: 0, duplicates: 0 },
      { lost: 2, duplicates: 0 },
      { lost: 1, duplicates: 1 },
    ]);
    expect(exchanges.okx).toMatchObject({ readBack: 4, lost: 0, duplicates: 0, produced: 100 });
    expect(board.results([pod({}, 30, 'redis-streams')], false).exchanges.okx.produced).toBe(70);
    expect(board.results([pod({}, 30, 'grpc')], false)).toMatchObject({
      exchanges: { okx: { produced: 100 } },
      sinks: [{ lost: 0 }, { lost: 1 }, { lost: 0 }],
    });
  });

  it('times nothing from before the market', () => {
    const board = new Scoreboard(false, ['kafka', 'grpc']);
    board.measureFrom(5_001);
    board.tick('grpc', 'trades', stamp('okx', '1'), 9_000);
    expect(board.sinkViews()[1]).toMatchObject({ delivered: 1, p50Ms: null });
    board.tick('grpc', 'trades', { ...stamp('okx', '2'), receiveTime: 5_001 }, 9_000);
    expect(board.sinkViews()[1]!.p50Ms).toBeCloseTo(4, 1);
  });

  it('tells why an exchange has no data', () => {
    const board = new Scoreboard(true, ['kafka']);
    const trouble = (status: PodStatus) => board.views([status])[0]!.trouble;
    expect(trouble(pod({ waitingFor: 'the listing' }))).toBeNull();
    expect(trouble(pod({ waitingFor: 'the listing: ENOTFOUND' }))).toBe('waits for the listing: ENOTFOUND');
    const silent = {
      exchange: 'binance',
      connection: null,
      channel: 'trades',
      symbol: 'BTC-USDT',
      since: 0,
    } as const;
    const notLive = [
      { ...silent, state: 'requested', reason: null } as const,
      { ...silent, state: 'rejected', reason: 'not listed' } as const,
      { ...silent, state: 'stale', reason: 'silent' } as const,
    ];
    expect(trouble({ ...pod(), notLive })).toBe('BTC-USDT trades and 1 more: rejected, not listed');
  });

  it('keeps the last news but not that something is live', () => {
    const board = new Scoreboard(false, ['kafka']);
    const news = {
      exchange: 'okx',
      symbol: 'BTC-USDT',
      exchangeSymbol: 'BTC-USDT',
      channel: 'trades',
      producer: 'p',
      session: null,
      time: 1_763_668_414_462_081,
      reason: 'socket closed',
      firstId: '4',
      lastId: '9',
      firstTime: null,
      lastTime: null,
      count: 6,
    };
    board.status('kafka', { ...news, state: 'live' });
    board.status('kafka', { ...news, state: 'acknowledged', reason: '' });
    expect(board.news).toEqual([]);
    board.status('kafka', { ...news, state: 'stale', reason: '', firstId: null, lastId: null });
    expect(board.news).toEqual(['19:53:34 okx BTC-USDT trades: stale']);
    for (let at = 0; at < 9; at++) board.status('kafka', { ...news, state: 'gap', reason: `closed ${at}` });
    expect(board.news).toHaveLength(5);
    expect(board.news[4]).toBe('19:53:34 okx BTC-USDT trades: gap, closed 8 (ids 4 to 9)');
  });
});
