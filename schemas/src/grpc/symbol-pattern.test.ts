import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSymbolPattern, symbolFits } from './symbol-pattern.ts';

describe('symbolFits', () => {
  it.each([
    ['BTC-USDT', 'BTC-USDT', true],
    ['BTC-USDT', 'BTC-USDT-PERP', false],
    ['*', '', true],
    ['*-USDT', 'BTC-USDT', true],
    ['*-USDT', 'BTC-USDC', false],
    ['BTC-*', 'BTC-USD-PERP:BTC', true],
    ['A*A', 'A', false],
    ['*BTC*', 'WBTC-USDT', true],
    ['B.C-*', 'BTC-USDT', false],
    ['a*b*c', 'axxbyybzzc', true],
    ['a*bc*c', 'abc', false],
  ])('%s and %s: %s', (pattern, symbol, fits) => {
    expect(symbolFits(pattern, symbol)).toBe(fits);
  });

  it('says what the regular expression of the pattern says', () => {
    const letters = (extra: string[]) =>
      fc.string({ unit: fc.constantFrom('a', 'b', '-', ...extra), maxLength: 8 });
    fc.assert(
      fc.property(letters(['*']), letters([]), (pattern, symbol) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'su');
        expect(symbolFits(pattern, symbol)).toBe(expression.test(symbol));
      }),
      { numRuns: 2000 },
    );
  });

  it('is quick with a pattern that would keep a regular expression busy for ever', () => {
    expect(symbolFits(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
  });
});

describe('isSymbolPattern', () => {
  it('is one with a star', () => {
    expect([isSymbolPattern('*-USDT'), isSymbolPattern('BTC-USDT')]).toEqual([true, false]);
  });
});
