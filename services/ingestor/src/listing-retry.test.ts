import { describe, expect, it } from 'vitest';
import { listingRetryMs } from './listing-retry.ts';

describe('listingRetryMs', () => {
  it.each([
    ['the first failure', 1, null, 1_000],
    ['the third', 3, null, 4_000],
    ['the hundredth', 100, null, 30_000],
    ['an exchange that wants longer', 1, 60_000, 60_000],
    ['an exchange that wants less', 100, 7_000, 30_000],
    ['a ban of three days', 1, 3 * 86_400_000, 86_400_000],
  ])('%s', (_what, failures, pauseMs, expected) => {
    expect(listingRetryMs(failures, pauseMs, () => 0.5)).toBe(expected);
  });

  it('spreads by a quarter either way', () => {
    expect([listingRetryMs(1, null, () => 0), listingRetryMs(1, null, () => 1)]).toEqual([750, 1_250]);
  });
});
