import { describe, expect, it } from 'vitest';
import { SlidingWindow } from './limits.ts';

describe('SlidingWindow', () => {
  it('refuses what is more than the limit in any window', () => {
    const window = new SlidingWindow(3, 1000);
    expect([0, 400, 900].map((at) => window.hit(at))).toEqual([true, true, true]);
    expect(window.hit(999)).toBe(false);
    expect(window.hit(2000)).toBe(true);
    expect(window.count).toBe(1);
  });

  it('counts weights and lets everything pass without a limit', () => {
    const window = new SlidingWindow(40, 60_000);
    expect(window.hit(0, 20)).toBe(true);
    expect(window.hit(1, 20)).toBe(true);
    expect(window.hit(2, 20)).toBe(false);
    expect(new SlidingWindow(Infinity, 1).hit(0, 1e9)).toBe(true);
  });
});
