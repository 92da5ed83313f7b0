import { describe, expect, it } from 'vitest';
import { fixedText, scientificText, trimmedText } from './decimal-text.ts';

describe('decimal text', () => {
  it('places the point without dividing', () => {
    expect(fixedText(6425011, 2)).toBe('64250.11');
    expect(fixedText(6425011, 2, 8)).toBe('64250.11000000');
    expect(fixedText(5, 8)).toBe('0.00000005');
    expect(fixedText(42, 0)).toBe('42');
    expect(fixedText(42, 0, 3)).toBe('42.000');
    expect(fixedText(12345678912345678n, 8)).toBe('123456789.12345678');
  });

  it('trims zeros after the point only', () => {
    expect(trimmedText(1500, 3)).toBe('1.5');
    expect(trimmedText(1000, 3)).toBe('1');
    expect(trimmedText(100, 0)).toBe('100');
    expect(trimmedText(1, 8)).toBe('0.00000001');
  });

  it('prints small increments in scientific notation', () => {
    expect(scientificText(1, 8)).toBe('1e-08');
    expect(scientificText(25, 6)).toBe('2.5e-05');
    expect(scientificText(1, 4)).toBe('0.0001');
    expect(scientificText(1, 1)).toBe('0.1');
    expect(scientificText(1, 10)).toBe('1e-10');
  });
});
