import type { ConnectionStatus, ExchangeStatus, PodStatus, SinkStatus } from '@tickline/schemas';

const NAMES = ['binance', 'bybit-spot', 'okx', 'kraken'] as const;
const OWNED = [212, 148, 131, 64] as const;

/** A healthy pod with four exchanges, Kafka and Redis. Times are relative to now. */
export function examplePod(index = 0, count = 2): PodStatus {
  const now = Date.now();
  return {
    version: '0.1.0',
    producer: `a1b2c3d4e5f${index}`,
    pid: 4_100 + index,
    startedAt: now - 5_400_000,
    now,
    phase: 'running',
    shard: { index, count },
    assignment: '7f3c9a12',
    ready: true,
    notReady: null,
    cpuSeconds: 812.4,
    rssBytes: 196 * 1024 * 1024,
    exchanges: NAMES.map((exchange, place): ExchangeStatus => {
      const owned = OWNED[place]! - index * 7;
      return {
        exchange,
        owned: owned * 2,
        messages: 1_000_000 * (4 - place),
        ticks: 998_700 * (4 - place),
        invalid: place === 3 ? 2 : 0,
        gaps: place,
        reconnects: place === 2 ? 2 : 0,
        latencyMs: { p50: 4.2 + 9 * place, p99: 31 + 40 * place },
        waitingFor: null,
        units: { configured: OWNED[place]! * count, owned: OWNED[place]! },
      };
    }),
    connections: NAMES.flatMap((exchange, place) =>
      [0, 1].map((slot): ConnectionStatus => {
        const live = OWNED[place]! - index * 7 - (exchange === 'kraken' && slot === 1 ? 1 : 0);
        return {
          exchange,
          connection: `${exchange}-${slot}`,
          state: 'open',
          session: `${exchange.slice(0, 2)}${slot}f09c7d`,
          openedAt: now - (exchange === 'okx' ? 840_000 : 5_390_000),
          lastFrameAt: now - 20,
          lastDataAt: now - 35,
          messages: 500_000 * (4 - place),
          reconnects: exchange === 'okx' ? { silence: 1 } : {},
          subscriptions: {
            requested: 0,
            acknowledged: 0,
            live,
            stale: 0,
            rejected: exchange === 'kraken' && slot === 1 ? 1 : 0,
          },
        };
      }),
    ),
    notLive: [
      {
        exchange: 'kraken',
        connection: 'kraken-1',
        channel: 'trades',
        symbol: 'LUNA-USD',
        state: 'rejected',
        since: now - 5_380_000,
        reason: 'Currency pair not supported LUNA/USD',
      },
    ],
    sinks: [
      sink('kafka', { queuedRecords: 412, queuedBytes: 91_000, acknowledged: 9_987_001 }),
      sink('redis-streams', {
        queuedRecords: 88,
        queuedBytes: 21_400,
        acknowledged: 9_986_552,
        acknowledgementMs: { p50: 0.7, p99: 2.1 },
      }),
    ],
  };
}

/** A sink that takes ticks, with what matters to the test changed. */
export function sink(name: string, changed: Partial<SinkStatus> = {}): SinkStatus {
  return {
    sink: name,
    healthy: true,
    detail: null,
    queuedRecords: 0,
    queuedBytes: 0,
    queueLimitBytes: 64 * 1024 * 1024,
    acknowledged: 0,
    dropped: 0,
    acknowledgementMs: { p50: 3.4, p99: 11.8 },
    ...changed,
  };
}
