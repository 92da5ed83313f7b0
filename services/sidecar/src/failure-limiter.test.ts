import { expect, it } from 'vitest';
import { FailureLimiter } from './failure-limiter.ts';

it('makes an address wait after ten failures, until the interval ends, and no other', () => {
  let now = 0;
  const limiter = new FailureLimiter(() => now);
  for (let failure = 0; failure < 9; failure++) limiter.failed('a');
  expect(limiter.waitSeconds('a')).toBe(0);
  limiter.failed('a');
  now = 20_000;
  expect([limiter.waitSeconds('a'), limiter.waitSeconds('b')]).toEqual([40, 0]);
  now = 60_000;
  expect(limiter.waitSeconds('a')).toBe(0);
});

it('remembers a bounded number of addresses: the others share', () => {
  const limiter = new FailureLimiter(() => 0);
  for (let address = 0; address < 1_000; address++) limiter.failed(`a${address}`);
  for (let address = 0; address < 10; address++) limiter.failed(`b${address}`);
  expect(limiter.waitSeconds('anybody new')).toBe(60);
  expect(limiter.waitSeconds('a1')).toBe(0);
});
