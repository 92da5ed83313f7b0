import { describe, expect, it } from 'vitest';
import { catalogue, lotSizeText, type Naming, tickSizeText, trimmed } from './catalogue.ts';

const naming: Naming = {
  native: (base, quote) => `${base}-${quote}`,
  mainQuote: 'USDT',
  crosses: [['ETH', 'BTC']],
  oddBases: ['1000SATS'],
  btcPriceScale: 1,
  quantityScale: 8,
  maxScale: 18,
};

describe('catalogue', () => {
  it.each([1, 10, 30, 100, 2000])(
    'holds %i trading instruments with names of their own, and a few at rest',
    (symbols) => {
      const all = catalogue(symbols, naming);
      expect(all.filter((i) => i.trading)).toHaveLength(symbols);
      expect(all.length).toBeGreaterThan(symbols);
      expect(new Set(all.map((i) => i.native)).size).toBe(all.length);
      expect(all.map((i) => i.rank)).toEqual(all.map((_, rank) => rank));
      expect(all[0]?.native).toBe('BTC-USDT');
    },
  );

  it('has odd ticks, and quantities that no double holds', () => {
    const all = catalogue(100, naming);
    const ticks = new Set(all.map(tickSizeText));
    for (const tick of ['0.00000001', '0.0000000001', '0.05', '0.000025', '1']) expect(ticks).toContain(tick);
    expect(new Set(all.map(lotSizeText))).toContain('0.00000001');
    const wide = all.find((i) => i.quantityStride > 1)!;
    const text = trimmed.quantity(wide, wide.quantityFrom);
    expect(text.replace('.', '').length).toBeGreaterThanOrEqual(17);
    expect(Number.isSafeInteger(wide.quantityFrom + wide.quantitySpan)).toBe(true);
  });
});
