import type { ConnectionStatus, PodStatus } from '@tickline/schemas';

/** A pod status for tests, with what matters to the test changed. */
export function exampleStatus(changed: Partial<PodStatus> = {}): PodStatus {
  return {
    version: '0.1.0',
    producer: 'p1',
    pid: 10,
    startedAt: 1_000_000,
    now: 1_060_000,
    phase: 'running',
    shard: { index: 1, count: 2 },
    ready: true,
    notReady: null,
    cpuSeconds: 1,
    rssBytes: 1,
    exchanges: [],
    connections: [],
    notLive: [],
    sinks: [],
    ...changed,
  };
}

/** A connection for tests, with what matters to the test changed. */
export function exampleConnection(changed: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    exchange: 'binance',
    connection: 'binance-0',
    state: 'open',
    session: 's1',
    openedAt: 1_010_000,
    lastFrameAt: 1_059_000,
    lastDataAt: 1_058_000,
    messages: 5,
    reconnects: {},
    subscriptions: { requested: 0, acknowledged: 0, live: 1, stale: 0, rejected: 0 },
    ...changed,
  };
}
