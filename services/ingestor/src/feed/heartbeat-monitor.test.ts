import { describe, expect, it } from 'vitest';
import { HeartbeatMonitor, isSilent } from './heartbeat-monitor.ts';

describe('isSilent', () => {
  it.each([
    ['within the timeout', 1000, 0, false, 31_000, false],
    ['beyond it', 1000, 0, false, 31_001, true],
    ['opened or resumed since', 1000, 20_000, false, 40_000, false],
    ['resumed, and silent for the timeout again', 1000, 20_000, false, 50_001, true],
    ['paused by us, however long', 1000, 0, true, 1e9, false],
  ])('%s', (_, lastReceivedAt, watchedSince, paused, now, expected) => {
    expect(isSilent({ lastReceivedAt, watchedSince, paused }, now, 30_000)).toBe(expected);
  });
});

describe('HeartbeatMonitor', () => {
  it('makes no check right after our own process stood still', () => {
    let now = 0;
    const checks: number[] = [];
    const clock = { monotonic: () => now, epoch: () => now, receiveTime: () => 0 };
    const monitor = new HeartbeatMonitor({ timeoutMs: 30_000, checkEveryMs: 5000 }, clock, (at) =>
      checks.push(at),
    );
    monitor.start();
    for (const at of [5000, 10_000, 60_000, 65_000]) {
      now = at;
      monitor.beat();
    }
    monitor.stop();
    expect(checks).toEqual([5000, 10_000, 65_000]);
  });
});
