import { describe, expect, it } from 'vitest';
import { DataRhythm, isBusy, silenceLimitMs } from './data-rhythm.ts';

const adaptive = { minimumMs: Infinity, busyIntervalMs: 3000, adaptiveMinimumMs: 60_000 };
const fixed = { ...adaptive, minimumMs: 60_000 };

describe('DataRhythm', () => {
  it('learns the interval from counts, and follows a change slowly', () => {
    const rhythm = new DataRhythm();
    expect([rhythm.usualMs, rhythm.everData]).toEqual([0, false]);
    rhythm.first();
    expect([rhythm.usualMs, rhythm.everData]).toEqual([0, true]);
    rhythm.observe(50, 5000);
    expect(rhythm.usualMs).toBe(100);
    rhythm.observe(5, 5000);
    expect(rhythm.usualMs).toBeCloseTo(190);
    for (let at = 0; at < 100; at++) rhythm.observe(5, 5000);
    expect(rhythm.usualMs).toBeCloseTo(1000, 0);
  });
});

describe('silenceLimitMs', () => {
  it.each([
    ['a minimum holds before anything is known', fixed, 0, 60_000],
    ['a minimum holds for what is busy', fixed, 10, 60_000],
    ['a slow rhythm raises the limit', fixed, 10_000, 200_000],
    ['adaptive: nothing known, no alarm', adaptive, 0, Infinity],
    ['adaptive: busy', adaptive, 100, 60_000],
    ['adaptive: busy, just so', adaptive, 3000, 60_000],
    ['adaptive: quiet, no alarm', adaptive, 3001, Infinity],
  ])('%s', (_, settings, usualMs, expected) => {
    expect(silenceLimitMs(settings, usualMs)).toBe(expected);
  });

  it('busy needs a known rhythm', () => {
    expect([isBusy(0, 3000), isBusy(1, 3000), isBusy(3000, 3000), isBusy(3001, 3000)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
