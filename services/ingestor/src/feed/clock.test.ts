import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';

describe('systemClock', () => {
  it('reads microseconds within the millisecond that the system names', () => {
    const clock = systemClock();
    for (let at = 0; at < 2000; at++) {
      const before = Date.now();
      const time = clock.receiveTime(clock.monotonic());
      const after = Date.now();
      expect(Number.isSafeInteger(time)).toBe(true);
      expect(time).toBeGreaterThanOrEqual(before * 1000);
      expect(time).toBeLessThan((after + 1) * 1000);
    }
  });

  it('tells apart moments within a millisecond', () => {
    const clock = systemClock();
    const times = new Set<number>();
    for (let at = 0; at < 2000; at++) times.add(clock.receiveTime(clock.monotonic()) % 1000);
    expect(times.size).toBeGreaterThan(1);
  });
});
