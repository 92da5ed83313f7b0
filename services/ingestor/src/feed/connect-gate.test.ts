import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { ConnectGate } from './connect-gate.ts';

const limits = { connectBurst: 2, connectsPerMinute: 60, connections: 10 };

describe('ConnectGate', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function gateOf(change: Partial<typeof limits> = {}, sharedBy = 1) {
    const gate = new ConnectGate({ ...limits, ...change }, sharedBy, systemClock());
    const dialled: string[] = [];
    const enter = (name: string, kind: 'urgent' | 'planned' = 'urgent') =>
      gate.enter(kind, () => dialled.push(name));
    return { gate, dialled, enter };
  }

  it('admits a burst at once and the rest at the sustained rate', async () => {
    const { dialled, enter } = gateOf();
    for (const name of ['a', 'b', 'c', 'd']) enter(name);
    expect(dialled).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1001);
    expect(dialled).toEqual(['a', 'b', 'c']);
    await vi.advanceTimersByTimeAsync(1001);
    expect(dialled).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets lost connections go before planned replacements, and forgets who cancels', async () => {
    const { dialled, enter } = gateOf({ connectBurst: 1 });
    expect(enter('first').waiting).toBe(false);
    enter('planned', 'planned');
    const gone = enter('gone');
    enter('urgent');
    gone.cancel();
    expect(gone.waiting).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(dialled).toEqual(['first', 'urgent', 'planned']);
  });

  it('divides rates and connections by the pods that share the address', async () => {
    const { gate, dialled, enter } = gateOf({ connectBurst: 4, connections: 5 }, 2);
    expect(gate.limit).toBe(2);
    for (const name of ['a', 'b', 'c']) enter(name);
    expect(dialled).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dialled).toEqual(['a', 'b']);
    gate.leave();
    expect(dialled).toEqual(['a', 'b', 'c']);
  });

  it('admits nobody while the host is left alone', async () => {
    const { gate, dialled, enter } = gateOf();
    gate.pause(10_000);
    enter('a');
    expect([gate.paused, dialled]).toEqual([true, []]);
    await vi.advanceTimersByTimeAsync(9000);
    expect(dialled).toEqual([]);
    await vi.advanceTimersByTimeAsync(1001);
    expect([gate.paused, dialled]).toEqual([false, ['a']]);
  });

  it('is quiet once stopped', async () => {
    const { gate, dialled, enter } = gateOf({ connectBurst: 1 });
    enter('a');
    enter('b');
    gate.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dialled).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
