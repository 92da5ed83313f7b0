import { describe, expect, it } from 'vitest';
import { refusalPauseMs, retryAfterMs } from './retry-after.ts';

describe('retryAfterMs', () => {
  const epoch = Date.UTC(2026, 10, 22, 12, 0, 0);
  it.each([
    ['absent', undefined, null],
    ['seconds', '120', 120_000],
    ['a date', 'Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['a date in the past', 'Sun, 22 Nov 2026 11:00:00 GMT', 0],
    ['neither', 'soon', null],
  ])('%s', (_, header, expected) => {
    expect(retryAfterMs(header, epoch)).toBe(expected);
  });
});

describe('refusalPauseMs', () => {
  it.each([
    [429, '7', 7_000],
    [418, '120', 120_000],
    [403, undefined, 600_000],
    [503, '7', null],
    [500, undefined, null],
  ])('HTTP %i, Retry-After %s', (status, header, expected) => {
    expect(refusalPauseMs(status, header, 0)).toBe(expected);
  });
});
