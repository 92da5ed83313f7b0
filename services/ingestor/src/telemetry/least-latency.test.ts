import { describe, expect, it } from 'vitest';
import { LeastLatency } from './least-latency.ts';

describe('LeastLatency', () => {
  it('is not known before anything was observed', () => {
    expect(new LeastLatency(0).read(1)).toBe(null);
  });

  it('is the least of what was observed, below zero too', () => {
    const least = new LeastLatency(0);
    for (const micros of [5_000, 1_200, 90_000]) least.observe(micros);
    expect(least.read(1)).toBe(1_200);
    least.observe(-300);
    expect(least.read(2)).toBe(-300);
  });

  it('forgets after one to two minutes, however many read it', () => {
    const least = new LeastLatency(0);
    least.observe(-300);
    for (let now = 1_000; now < 60_000; now += 1_000) least.read(now);
    least.observe(4_000);
    expect(least.read(60_000)).toBe(-300);
    least.observe(5_000);
    expect(least.read(119_999)).toBe(-300);
    expect(least.read(120_000)).toBe(5_000);
  });

  it('tells the whole time since the last reading to those who seldom read', () => {
    const least = new LeastLatency(0);
    least.observe(-300);
    expect(least.read(600_000)).toBe(-300);
    expect(least.read(1_200_000)).toBe(null);
  });
});
