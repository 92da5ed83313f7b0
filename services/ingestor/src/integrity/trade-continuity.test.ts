import { ByteRange } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { CONTIGUOUS, GAP, NOT_NEWER, TradeContinuity, wholeNumber } from './trade-continuity.ts';

function range(text: string): ByteRange {
  const bytes = Buffer.from(`"${text}"`);
  const result = new ByteRange();
  result.set(bytes, 1, bytes.length - 1);
  return result;
}

describe('TradeContinuity', () => {
  it('counts by one', () => {
    const rule = new TradeContinuity('counting');
    expect(rule.next(range('100'), 0)).toBe(CONTIGUOUS);
    expect(rule.next(range('101'), 0)).toBe(CONTIGUOUS);
    expect(rule.next(range('105'), 0)).toBe(GAP);
    expect([rule.firstMissing, rule.lastMissing]).toEqual([102, 104]);
    expect(rule.next(range('106'), 0)).toBe(CONTIGUOUS);
  });

  it('takes the fills that an OKX message covers', () => {
    const rule = new TradeContinuity('counting-fills');
    expect(rule.next(range('10'), 3)).toBe(CONTIGUOUS);
    expect(rule.next(range('13'), 3)).toBe(CONTIGUOUS);
    expect(rule.next(range('20'), 2)).toBe(GAP);
    expect([rule.firstMissing, rule.lastMissing]).toEqual([14, 18]);
    // An overlap (the message began before what we have) hides no gap.
    expect(rule.next(range('22'), 5)).toBe(CONTIGUOUS);
  });

  it('keeps its place at a repeat or a late trade, and follows a restart of the numbering', () => {
    const rule = new TradeContinuity('counting');
    rule.next(range('1000'), 0);
    expect(rule.next(range('1000'), 0)).toBe(NOT_NEWER);
    expect(rule.next(range('999'), 0)).toBe(NOT_NEWER);
    expect(rule.next(range('1001'), 0)).toBe(CONTIGUOUS);
    for (let id = 1; id <= 32; id++) expect(rule.next(range(String(id)), 0)).toBe(NOT_NEWER);
    expect(rule.next(range('33'), 0)).toBe(CONTIGUOUS);
    expect(rule.next(range('35'), 0)).toBe(GAP);
  });

  it('proves nothing from opaque ids, or from what is no number', () => {
    const opaque = new TradeContinuity('opaque');
    expect(opaque.proves).toBe(false);
    expect(opaque.next(range('1'), 0)).toBe(CONTIGUOUS);
    expect(opaque.next(range('9'), 0)).toBe(CONTIGUOUS);
    const counting = new TradeContinuity('counting');
    expect(counting.proves).toBe(true);
    expect(counting.next(range('5'), 0)).toBe(CONTIGUOUS);
    expect(counting.next(range('c41b7a96'), 0)).toBe(CONTIGUOUS);
    expect(counting.next(range('6'), 0)).toBe(CONTIGUOUS);
  });

  it.each([
    ['0', 0],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', -1],
    ['', -1],
    ['-1', -1],
    ['1.5', -1],
    ['12a', -1],
  ])('reads %j as %d', (text, value) => {
    expect(wholeNumber(range(text))).toBe(value);
  });
});
