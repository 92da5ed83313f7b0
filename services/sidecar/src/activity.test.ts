import { describe, expect, it } from 'vitest';
import { ActivityHistory, STEP_MS } from './activity.ts';
import { exampleExchange, exampleStatus } from './pod-status-example.ts';

const counted = (messages: number, producer = 'p1') =>
  exampleStatus({ producer, exchanges: [exampleExchange({ exchange: 'okx', messages })] });

describe('ActivityHistory', () => {
  it('counts messages a second from one step to the next, however often it is asked', () => {
    const history = new ActivityHistory(100);
    for (let at = 0; at <= 2 * STEP_MS; at += 100) history.record(counted(at / 10), at);
    expect(history.read()).toEqual({
      stepMs: STEP_MS,
      exchanges: [{ exchange: 'okx', messageRates: [100, 100] }],
    });
  });

  it('leaves a hole where nobody answered, and where another process counts from zero', () => {
    const history = new ActivityHistory(STEP_MS);
    const steps = [
      counted(0),
      counted(10),
      null,
      counted(30),
      counted(50),
      counted(2, 'p2'),
      counted(4, 'p2'),
    ];
    for (const [place, status] of steps.entries()) history.record(status, place * STEP_MS);
    expect(history.read().exchanges[0]?.messageRates).toEqual([5, null, null, 10, null, 1]);
  });

  it('begins a later exchange with holes, so that all end now', () => {
    const history = new ActivityHistory(STEP_MS);
    history.record(exampleStatus(), 0);
    history.record(exampleStatus(), STEP_MS);
    history.record(counted(2), 2 * STEP_MS);
    history.record(counted(4), 3 * STEP_MS);
    expect(history.read().exchanges[0]?.messageRates).toEqual([null, null, 1]);
  });

  it('keeps a bounded past', () => {
    const history = new ActivityHistory(STEP_MS);
    for (let step = 0; step < 1_000; step++) history.record(counted(step), step * STEP_MS);
    expect(history.read().exchanges[0]?.messageRates).toHaveLength(150);
  });
});
