import { describe, expect, it } from 'vitest';
import { exampleConnection, exampleSink, exampleStatus } from './pod-status-example.ts';
import { Timeline } from './timeline.ts';

const texts = (timeline: Timeline) =>
  timeline.read().map(({ kind, tone, text }) => `${kind} ${tone}: ${text}`);

describe('Timeline', () => {
  it('tells reconnects with reasons and new sessions, the newest first', () => {
    const timeline = new Timeline();
    const before = exampleConnection({ reconnects: { silence: 1 } });
    timeline.answered(exampleStatus({ connections: [before] }), 10);
    expect(timeline.read()).toEqual([]);
    timeline.answered(
      exampleStatus({
        connections: [exampleConnection({ reconnects: { silence: 3, closed: 1 }, session: 's2' })],
      }),
      20,
    );
    expect(texts(timeline)).toEqual([
      'session good: binance-0 is open, session s2',
      'reconnect warn: binance-0 reconnects: closed',
      'reconnect warn: binance-0 reconnects 2 times: silence',
    ]);
    expect(timeline.read()[0]).toMatchObject({ id: 3, at: 20, subject: 'binance-0' });
  });

  it('says nothing of a session until it is open', () => {
    const timeline = new Timeline();
    timeline.answered(exampleStatus({ connections: [exampleConnection()] }), 1);
    const connecting = exampleConnection({ session: 's2', state: 'connecting' });
    timeline.answered(exampleStatus({ connections: [connecting] }), 2);
    expect(timeline.read()).toEqual([]);
  });

  it('does not take the connections of a new process for reconnects', () => {
    const timeline = new Timeline();
    timeline.answered(exampleStatus({ connections: [exampleConnection()] }), 1);
    const other = exampleConnection({ session: 's9', reconnects: { silence: 5 } });
    timeline.answered(exampleStatus({ producer: 'p2', connections: [other] }), 2);
    expect(timeline.read()).toEqual([]);
  });

  it('tells sinks that fail and recover', () => {
    const timeline = new Timeline();
    timeline.answered(exampleStatus({ sinks: [exampleSink()] }), 1);
    timeline.answered(exampleStatus({ sinks: [exampleSink({ healthy: false, detail: 'no broker' })] }), 2);
    timeline.answered(exampleStatus({ sinks: [exampleSink()] }), 3);
    expect(texts(timeline)).toEqual(['sink good: kafka answers again', 'sink bad: kafka fails: no broker']);
  });

  it('says in words which state was entered, and tells a restart apart', () => {
    const timeline = new Timeline();
    timeline.state('hung', 'no answer within 2000 ms', 1);
    timeline.state('restarted', 'p1 became p2', 2);
    expect(texts(timeline)).toEqual([
      'restart warn: The ingestor was restarted: p1 became p2',
      'state bad: The ingestor hangs: no answer within 2000 ms',
    ]);
  });

  it('forgets the oldest', () => {
    const timeline = new Timeline();
    for (let at = 0; at < 1_000; at++) timeline.state('up', String(at), at);
    expect(timeline.read()).toHaveLength(200);
    expect(timeline.read()[0]?.at).toBe(999);
  });
});
