import type { ConnectionStatus, ExchangeStatus, PodStatus, SinkStatus } from '@tickline/schemas';

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
    assignment: null,
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

/** An exchange for tests, with what matters to the test changed. */
export function exampleExchange(changed: Partial<ExchangeStatus> = {}): ExchangeStatus {
  return {
    exchange: 'binance',
    owned: 2,
    messages: 0,
    ticks: 0,
    invalid: 0,
    gaps: 0,
    reconnects: 0,
    latencyMs: null,
    waitingFor: null,
    units: null,
    ...changed,
  };
}

/** A sink for tests, with what matters to the test changed. */
export function exampleSink(changed: Partial<SinkStatus> = {}): SinkStatus {
  return {
    sink: 'kafka',
    healthy: true,
    detail: null,
    queuedRecords: 0,
    queuedBytes: 0,
    queueLimitBytes: 1_000,
    acknowledged: 0,
    dropped: 0,
    acknowledgementMs: null,
    ...changed,
  };
}
