import { describe, expect, it } from 'vitest';
import { type PodStatus, PodStatusError, readPodStatus } from './pod-status.ts';

const status: PodStatus = {
  version: '0.1.0',
  producer: 'p1',
  pid: 10,
  startedAt: 1_700_000_000_000,
  now: 1_700_000_001_000,
  phase: 'running',
  shard: { index: 0, count: 2 },
  assignment: 'a1b2c3',
  ready: false,
  notReady: 'okx is not settled',
  cpuSeconds: 1.5,
  rssBytes: 1_000,
  exchanges: [
    {
      exchange: 'okx',
      owned: 2,
      messages: 3,
      ticks: 4,
      invalid: 0,
      gaps: 0,
      reconnects: 1,
      latencyMs: { p50: 1, p99: 2 },
      waitingFor: null,
      units: { configured: 5, owned: 1 },
    },
  ],
  connections: [
    {
      exchange: 'okx',
      connection: 'okx-0',
      state: 'open',
      session: 's',
      openedAt: 1,
      lastFrameAt: null,
      lastDataAt: 2,
      messages: 3,
      reconnects: { silence: 1 },
      subscriptions: { requested: 0, acknowledged: 1, live: 1, stale: 0, rejected: 0 },
    },
  ],
  notLive: [
    {
      exchange: 'okx',
      connection: null,
      channel: 'quotes',
      symbol: 'BTC-USDT',
      state: 'rejected',
      since: 5,
      reason: 'gone',
    },
  ],
  sinks: [
    {
      sink: 'kafka',
      healthy: true,
      detail: null,
      queuedRecords: 0,
      queuedBytes: 0,
      queueLimitBytes: 100,
      acknowledged: 9,
      dropped: 0,
      acknowledgementMs: { p50: 1.5, p99: 4 },
    },
  ],
};

/** The status as JSON brings it, changed at one place. */
function changed(change: (document: Record<string, unknown>) => void): unknown {
  const document = JSON.parse(JSON.stringify(status)) as Record<string, unknown>;
  change(document);
  return document;
}

describe('readPodStatus', () => {
  it('takes what the ingestor writes', () => {
    expect(readPodStatus(JSON.parse(JSON.stringify(status)))).toEqual(status);
  });

  it('leaves out what it does not know', () => {
    expect(readPodStatus(changed((document) => Object.assign(document, { later: 1 })))).toEqual(status);
  });

  it('takes the status of a pod that is older than some members', () => {
    const older = changed((document) => {
      delete document.assignment;
      for (const exchange of document.exchanges as { units?: unknown }[]) delete exchange.units;
      for (const sink of document.sinks as { acknowledgementMs?: unknown }[]) delete sink.acknowledgementMs;
    });
    const read = readPodStatus(older);
    expect([read.assignment, read.exchanges[0]?.units, read.sinks[0]?.acknowledgementMs]).toEqual([
      null,
      null,
      null,
    ]);
  });

  it.each([
    [null, 'the document must be an object, is null'],
    [[], 'the document must be an object, is []'],
    ['text', 'the document must be an object, is "text"'],
    [changed((d) => delete d.pid), 'pid must be a number, 0 or more, is missing'],
    [
      changed((d) => Object.assign(d, { phase: 'gone' })),
      'phase must be one of starting, running, draining, is "gone"',
    ],
    [changed((d) => Object.assign(d, { connections: {} })), 'connections must be a list, is {}'],
    [
      changed((d) => Object.assign((d.connections as object[])[0]!, { state: 1 })),
      'connections[0].state must be one of connecting, open, backing-off, closed, is 1',
    ],
    [
      changed((d) => Object.assign((d.connections as object[])[0]!, { reconnects: { silence: -1 } })),
      'connections[0].reconnects.silence must be a number, 0 or more, is -1',
    ],
    [changed((d) => Object.assign(d, { assignment: 7 })), 'assignment must be a text, is 7'],
    [
      changed((d) => Object.assign((d.exchanges as object[])[0]!, { units: { configured: 1 } })),
      'exchanges[0].units.owned must be a number, 0 or more, is missing',
    ],
    [
      changed((d) => Object.assign((d.exchanges as object[])[0]!, { exchange: 'nyse' })),
      'exchanges[0].exchange must be one of',
    ],
  ])('refuses %j', (document, message) => {
    expect(() => readPodStatus(document)).toThrow(PodStatusError);
    expect(() => readPodStatus(document)).toThrow(message);
  });

  it('shows little of a huge wrong value', () => {
    const document = changed((d) => Object.assign(d, { version: ['x'.repeat(10_000)] }));
    expect(() => readPodStatus(document)).toThrow(/^version must be a text, is .{1,60}$/);
  });
});
