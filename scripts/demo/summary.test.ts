import { EXCHANGES } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { faultsOf, isGood, noResults, type Results, renderSummary, resultJson } from './summary.ts';

const good: Results = Object.fromEntries(
  EXCHANGES.map((exchange) => [
    exchange,
    {
      frames: 1_010,
      produced: 1_000,
      readBack: 1_000,
      lost: 0,
      p50Ms: 4.18159,
      p99Ms: 12.5,
      duplicates: 0,
      unexplained: 0,
      trouble: null,
    },
  ]),
) as unknown as Results;
const lossy: Results = { ...good, okx: { ...good.okx, lost: 7 } };
const silent: Results = {
  ...good,
  kraken: { ...good.kraken, readBack: 0, trouble: 'waits for the listing' },
};

describe('resultJson', () => {
  it('has exactly the promised form', () => {
    const figures = { frames: 1010, produced: 1000, readBack: 1000, lost: 0, p50Ms: 4.182, p99Ms: 12.5 };
    expect(JSON.parse(resultJson(good, null))).toEqual({
      exchanges: { binance: figures, 'bybit-spot': figures, okx: figures, kraken: figures },
      ok: true,
    });
    expect(resultJson(good, null)).toMatch(/^\{"exchanges":\{"binance":\{"frames":1010,"produced":1000,/);
  });

  it('is not ok when something was lost, an exchange is silent or a part failed', () => {
    for (const [results, error] of [
      [lossy, null],
      [silent, null],
      [good, 'pod 0 died'],
    ] as const) {
      expect(JSON.parse(resultJson(results, error))).toMatchObject({ ok: false });
      expect(isGood(results, error)).toBe(false);
    }
    expect(JSON.parse(resultJson(good, 'pod 0 died'))).toMatchObject({ error: 'pod 0 died' });
  });

  it('has the form with zeros when nothing came up, and no ledger for the real exchanges', () => {
    const zeros = { frames: 0, produced: 0, readBack: 0, lost: 0, p50Ms: 0, p99Ms: 0 };
    const parsed = JSON.parse(resultJson(noResults(false), 'no Java')) as object;
    expect(parsed).toMatchObject({ exchanges: { binance: zeros, kraken: zeros }, ok: false });
    expect(JSON.parse(resultJson(noResults(true), 'no Java'))).toMatchObject({
      exchanges: { okx: { ...zeros, lost: null } },
    });
  });
});

describe('faultsOf', () => {
  it('names the exchange and why', () => {
    expect(faultsOf(good)).toEqual([]);
    expect(faultsOf(lossy)).toEqual(['okx: 7 ticks were lost']);
    expect(faultsOf(silent)).toEqual(['kraken: nothing was read back (waits for the listing)']);
  });

  it('can not know what the real exchanges sent', () => {
    expect(faultsOf({ ...good, okx: { ...good.okx, lost: null } })).toEqual([]);
  });
});

describe('renderSummary', () => {
  it('shows the figures and the verdict', () => {
    const text = renderSummary(good, 20.2, false, 120, false).join('\n');
    expect(text).toContain('Summary of 00:20');
    expect(text).toMatch(/binance +1,010 +1,000 +1,000 +0 +0 +4\.18 +12\.5/);
    expect(text).toContain('Nothing was lost.');
  });

  it('says what is not good', () => {
    const odd = { ...lossy, binance: { ...good.binance, unexplained: 3 } };
    const text = renderSummary(odd, 20.2, false, 120, false).join('\n');
    expect(text).toContain('okx: 7 ticks were lost');
    expect(text).toContain('binance: 3 records were read back that the simulator did not write');
    expect(text).not.toContain('Nothing was lost.');
  });

  it('speaks of no ledger for the real exchanges', () => {
    const text = renderSummary(good, 20.2, true, 120, false).join('\n');
    expect(text).not.toMatch(/lost|duplicates/);
    expect(text).toContain('Every exchange was read back.');
  });
});
