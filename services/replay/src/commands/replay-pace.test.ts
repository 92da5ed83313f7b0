import { describe, expect, it } from 'vitest';
import { SettingsError } from '../connection/settings-error.ts';
import { parseSpeed, ReplayPace } from './replay-pace.ts';

const START = 1_781_337_600_000_000;

describe('ReplayPace', () => {
  it('keeps the distances of receive times, divided by the speed', () => {
    let now = 500;
    const pace = new ReplayPace(10, () => now);
    expect(pace.waitMs(START)).toBe(0);
    expect(pace.waitMs(START + 1_000_000)).toBe(100);
    now += 60;
    expect(pace.waitMs(START + 1_000_000)).toBeCloseTo(40);
    now += 40;
    expect(pace.waitMs(START + 1_000_000)).toBe(0);
    // Who was held up catches up.
    now += 5_000;
    expect(pace.waitMs(START + 50_000_000)).toBe(0);
    expect(pace.waitMs(START + 52_000_000)).toBeCloseTo(100);
  });

  it('lets a record that is late for its place go at once', () => {
    const pace = new ReplayPace(1, () => 0);
    expect(pace.waitMs(START)).toBe(0);
    expect(pace.waitMs(START - 1_000_000)).toBe(0);
  });

  it('never asks the clock at full speed', () => {
    const pace = new ReplayPace(parseSpeed('max'), () => {
      throw new Error('asked');
    });
    expect([pace.waitMs(START), pace.waitMs(START * 2)]).toEqual([0, 0]);
  });
});

describe('parseSpeed', () => {
  it('takes factors with and without x', () => {
    expect(['1x', '10x', '0.5', '2.5x'].map(parseSpeed)).toEqual([1, 10, 0.5, 2.5]);
    for (const text of ['', '0', '0x', '-1x', 'fast', 'x'])
      expect(() => parseSpeed(text)).toThrow(SettingsError);
  });
});
