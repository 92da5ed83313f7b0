import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OTHER_KEYS, RepeatLimiter } from './repeat-limiter.ts';

describe('RepeatLimiter', () => {
  let told: [string, string, number][];
  const limiter = (limits: { limit: number; keys?: number }) =>
    new RepeatLimiter((event, key, suppressed) => told.push([event, key, suppressed]), {
      intervalMs: 1_000,
      keys: 100,
      ...limits,
    });

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('passes the first ones and tells the rest once, when the interval ends', () => {
    const repeats = limiter({ limit: 2 });
    expect([1, 2, 3, 4, 5].map(() => repeats.admit('bad-frame', 'okx'))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([['bad-frame', 'okx', 3]]);
    vi.advanceTimersByTime(10_000);
    expect(told).toHaveLength(1);
  });

  it('starts anew with the next interval', () => {
    const repeats = limiter({ limit: 1 });
    expect(repeats.admit('e', 'k')).toBe(true);
    expect(repeats.admit('e', 'k')).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(repeats.admit('e', 'k')).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([['e', 'k', 1]]);
  });

  it('counts events and keys apart', () => {
    const repeats = limiter({ limit: 1 });
    expect(repeats.admit('a', 'k')).toBe(true);
    expect(repeats.admit('b', 'k')).toBe(true);
    expect(repeats.admit('a', 'l')).toBe(true);
    expect(repeats.admit('a', 'k')).toBe(false);
    repeats.flush();
    expect(told).toEqual([['a', 'k', 1]]);
  });

  it('remembers only so many keys: the others share one allowance', () => {
    const repeats = limiter({ limit: 1, keys: 2 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) repeats.admit('event', key);
    repeats.flush();
    expect(told).toEqual([['event', OTHER_KEYS, 2]]);
  });

  it('tells nothing twice: a flush ends the interval', () => {
    const repeats = limiter({ limit: 0 });
    repeats.admit('e', 'k');
    repeats.flush();
    repeats.flush();
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual([['e', 'k', 1]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
