import { describe, expect, it } from 'vitest';
import { age, clock, count, millis, size } from './figures.ts';

describe('figures', () => {
  it.each([
    [count(0), '0'],
    [count(1234567.6), '1,234,568'],
    [millis(null), '–'],
    [millis(0.314), '0.31'],
    [millis(9.987), '9.99'],
    [millis(31.44), '31.4'],
    [millis(1234.5), '1,235'],
    [size(999), '999 B'],
    [size(1_500), '2 kB'],
    [size(142_300_000), '142 MB'],
    [clock(0), '00:00'],
    [clock(61.9), '01:01'],
    [clock(3723), '1:02:03'],
    [age(-3), '0 ms'],
    [age(41.6), '42 ms'],
    [age(3_210), '3.2 s'],
    [age(330_000), '5 min'],
  ])('%s is %s', (shown, expected) => {
    expect(shown).toBe(expected);
  });
});
