import { describe, expect, it } from 'vitest';
import { nearestNames } from './nearest.ts';
import { SymbolWatch } from './symbol-watch.ts';
import { Table, tableText, wantsColours } from './table.ts';

const COLUMNS = [
  { title: 'name', align: 'left' },
  { title: 'price', align: 'number' },
  { title: 'n', align: 'right' },
] as const;

describe('Table', () => {
  it('aligns numbers by their point without a digit more or less', () => {
    const text = tableText(
      COLUMNS,
      [
        ['a', '64250.1', '1'],
        ['bcd', '0.000000000000000001', '100'],
        ['e', '-', '20'],
      ],
      false,
    );
    expect(text).toBe(
      [
        'name                     price    n',
        'a     64250.1                     1',
        'bcd       0.000000000000000001  100',
        'e         -                      20',
        '',
      ].join('\n'),
    );
  });

  it('grows and never shrinks, so that later rows stay aligned', () => {
    const table = new Table(COLUMNS, false);
    const first = table.row(['abcdef', '12.50', '1']);
    const second = table.row(['a', '3', '1']);
    expect(second.length).toBe(first.length);
    expect(second.indexOf('3')).toBe(first.indexOf('2'));
  });

  it('paints cells only where colours are wanted', () => {
    const colours = new Map([[0, 'red' as const]]);
    expect(new Table(COLUMNS, true).row(['sell', '1', '1'], colours)).toContain('\u001b[31msell\u001b[0m');
    expect(new Table(COLUMNS, false).row(['sell', '1', '1'], colours)).not.toContain('\u001b');
    expect([wantsColours(true, {}), wantsColours(true, { NO_COLOR: '1' }), wantsColours(false, {})]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('nearestNames', () => {
  it('offers what was probably meant, and nothing for something else', () => {
    expect(nearestNames('trade', ['trades', 'quotes', 'status'])).toEqual(['trades']);
    expect(nearestNames('BTCUSDT', ['ETH-USDT', 'BTC-USDT', 'BTC-USDC'])[0]).toBe('BTC-USDT');
    expect(nearestNames('something', ['trades'])).toEqual([]);
  });
});

describe('SymbolWatch', () => {
  it('tells the symbols that nothing fits, when anything was read', () => {
    const watch = new SymbolWatch(['BTC-USD', 'ETH-*']);
    expect([watch.complaints(), watch.isUnknown]).toEqual([[], false]);
    watch.saw('BTC-USDT');
    expect(watch.complaints()).toEqual([
      'no symbol BTC-USD in what was read: did you mean BTC-USDT?',
      'no symbol ETH-* in what was read: there are BTC-USDT',
    ]);
    expect(watch.isUnknown).toBe(true);
    watch.saw('ETH-USDT');
    expect([watch.complaints().length, watch.isUnknown]).toEqual([1, false]);
  });
});
