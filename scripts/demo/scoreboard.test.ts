import { EXCHANGES, type ExchangeName, type PodStatus } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { Scoreboard } from './scoreboard.ts';
import { tickIdentity } from './tick-identity.ts';

function pod(changes: Partial<PodStatus['exchanges'][number]> = {}, queuedRecords = 0): PodStatus {
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
        sink: 'kafka',
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
});

function written(id: string, writeTime: number) {
  const identity = tickIdentity({ channel: 'trades', exchangeSymbol: 'BTCUSDT', id, exchangeTime: 1 });
  return { identity, writeTime, owed: true };
}

describe('Scoreboard', () => {
  it('sums the pods and matches ledger and topic', () => {
    const board = new Scoreboard(false);
    expect(board.firstTickAt).toBeNull();
    board.reconciler('okx').wrote(written('1', 1_000));
    board.reconciler('okx').wrote(written('2', 1_000));
    board.tick('trades', stamp('okx', '1'), 9_000);
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
    const { okx, kraken } = board.results([pod(), pod()], true);
    expect(okx).toMatchObject({ frames: 220, produced: 200, readBack: 1, lost: 1, duplicates: 0 });
    expect(kraken).toMatchObject({ readBack: 0, lost: 0, p50Ms: null });
  });

  it('measures from our socket on against the real exchanges, and has no ledger', () => {
    const board = new Scoreboard(true);
    board.tick('quotes', stamp('kraken', '1'), 7_000);
    const { kraken } = board.results([], false);
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

  it('tells why an exchange has no data', () => {
    const board = new Scoreboard(true);
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
    const board = new Scoreboard(false);
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
    board.status({ ...news, state: 'live' });
    board.status({ ...news, state: 'acknowledged', reason: '' });
    expect(board.news).toEqual([]);
    board.status({ ...news, state: 'stale', reason: '', firstId: null, lastId: null });
    expect(board.news).toEqual(['19:53:34 okx BTC-USDT trades: stale']);
    for (let at = 0; at < 9; at++) board.status({ ...news, state: 'gap', reason: `closed ${at}` });
    expect(board.news).toHaveLength(5);
    expect(board.news[4]).toBe('19:53:34 okx BTC-USDT trades: gap, closed 8 (ids 4 to 9)');
  });
});
