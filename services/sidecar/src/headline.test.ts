import { describe, expect, it } from 'vitest';
import { headlineOf } from './headline.ts';
import { exampleConnection, exampleExchange, exampleSink, exampleStatus } from './pod-status-example.ts';
import { INGESTOR_STATES, type IngestorReport } from './sidecar-status.ts';

const report = (changed: Partial<IngestorReport> = {}): IngestorReport => ({
  state: 'up',
  since: 0,
  reason: 'the ingestor answers and is ready',
  restarts: 0,
  lastRestart: null,
  lastAnswerAt: 1,
  ageSeconds: 0,
  reconnects: [],
  status: exampleStatus({ connections: [exampleConnection()] }),
  ...changed,
});

describe('headlineOf', () => {
  it('has other words for each state', () => {
    const titles = INGESTOR_STATES.map((state) => headlineOf(report({ state })).title);
    expect(new Set(titles).size).toBe(INGESTOR_STATES.length);
  });

  it.each([
    ['unreachable', 'bad', /unreachable: its process is gone/],
    ['hung', 'bad', /hangs: its process is there and does not answer/],
    ['restarted', 'warn', /was restarted/],
    ['draining', 'warn', /drains/],
  ] as const)('tells %s', (state, tone, title) => {
    const headline = headlineOf(report({ state, reason: 'because of it' }));
    expect(headline).toMatchObject({ tone, title: expect.stringMatching(title) });
  });

  it('says whether there is an earlier answer to show', () => {
    expect(headlineOf(report({ state: 'hung' })).detail).toContain('what it answered last');
    expect(headlineOf(report({ state: 'hung', status: null })).detail).toContain('has never answered');
  });

  it('is good only when everything is', () => {
    expect(headlineOf(report())).toEqual({
      tone: 'good',
      title: 'The ingestor is up',
      detail: 'It is ready, all connections are open, and every output takes ticks.',
    });
  });

  it.each([
    [{ sinks: [exampleSink({ healthy: false, detail: 'no broker' })] }, 'bad', 'Kafka: no broker.'],
    [
      { exchanges: [exampleExchange({ exchange: 'okx', waitingFor: 'the listing: 503' })] },
      'warn',
      'Okx waits for the listing: 503.',
    ],
    [{ connections: [exampleConnection({ state: 'backing-off' })] }, 'warn', 'binance-0 is not open.'],
    [{ ready: false, notReady: 'subscriptions of okx are not settled' }, 'warn', 'Subscriptions of okx'],
    [
      {
        connections: [
          exampleConnection({
            subscriptions: { requested: 0, acknowledged: 0, live: 0, stale: 1, rejected: 0 },
          }),
        ],
      },
      'warn',
      '1 subscription is stale',
    ],
  ] as const)('tells trouble of one that answers: %j', (changed, tone, detail) => {
    const headline = headlineOf(report({ status: exampleStatus(changed as object) }));
    expect(headline.tone).toBe(tone);
    expect(headline.detail).toContain(detail);
  });

  it('does not hide an output that fails behind a restart', () => {
    const status = exampleStatus({ sinks: [exampleSink({ healthy: false, detail: 'no broker' })] });
    const headline = headlineOf(report({ state: 'restarted', status }));
    expect(headline.tone).toBe('bad');
    expect(headline.detail).toContain('no broker');
  });
});
