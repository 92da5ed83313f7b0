import type { Trade } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import type { TradeEntry } from '../exchanges/ledger.ts';
import { againstLedger } from '../support/against-ledger.ts';
import { troublesOf } from '../support/read-back.ts';

/** Three trades of a symbol as a simulator writes them. */
const entries: readonly TradeEntry[] = [1, 2, 3].map((number) => ({
  channel: 'trades',
  index: number - 1,
  exchange: 'binance',
  exchangeSymbol: 'BTCUSDT',
  writeTime: 1_000 + number,
  connection: 'binance-1',
  acknowledged: true,
  snapshot: false,
  id: String(100 + number),
  count: 1,
  exchangeTime: 1_000 * number,
  price: `64250.1${number}`,
  quantity: '0.00120',
  side: 'buy',
}));

/** The same as records. */
const records: readonly Trade[] = entries.map((entry) => ({
  exchange: entry.exchange,
  symbol: 'BTC-USDT',
  exchangeSymbol: entry.exchangeSymbol,
  producer: 'p',
  session: 's',
  exchangeTime: entry.exchangeTime,
  receiveTime: entry.writeTime,
  sequence: entry.index + 1,
  conflated: 0,
  price: entry.price,
  quantity: '0.0012',
  contracts: null,
  side: entry.side,
  tradeId: entry.id,
  fillCount: null,
}));

const [first, second, third] = records as [Trade, Trade, Trade];

/** What the tests would say to a topic with these records in it. */
function said(read: readonly Trade[], written: readonly TradeEntry[] = entries): string[] {
  const comparison = againstLedger(written, read);
  return troublesOf([
    { exchange: 'binance', channel: 'trades', entries: written, records: read, ...comparison },
  ]);
}

describe('what the tests hold against the ledger', () => {
  it('has nothing to say to all that was written, in order', () => {
    expect(said(records)).toEqual([]);
  });

  it.each([
    ['a lost tick', [first, third], ['1 missing: BTCUSDT 102', 'p binance BTC-USDT trades: 3']],
    ['a last tick that is lost', [first, second], ['1 missing: BTCUSDT 103']],
    [
      'a tick that is there twice',
      [first, second, second, third],
      ['1 twice: BTCUSDT 102', '2 (conflated 0) follows 2'],
    ],
    [
      'a tick that nobody wrote',
      [...records, { ...third, tradeId: '104', sequence: 4 }],
      ['1 never written: BTCUSDT 104'],
    ],
    [
      'two ticks in the wrong order',
      [second, first, third],
      ['1 out of order: BTCUSDT 101', '2 (conflated 0) follows 0'],
    ],
    [
      'another price',
      [first, { ...second, price: '64250.120000000000000001' }, third],
      ['price sent 64250.12, read 64250.120000000000000001'],
    ],
    ['another side', [{ ...first, side: 'sell' as const }, second, third], ['side sent buy, read sell']],
    ['another time', [{ ...first, exchangeTime: 1 }, second, third], ['exchangeTime sent 1000, read 1']],
    ['a hole in what we counted', [first, second, { ...third, sequence: 5 }], ['5 (conflated 0) follows 2']],
  ])('notices %s', (_, read, fragments) => {
    const troubles = said(read).join('\n');
    for (const fragment of fragments) expect(troubles).toContain(fragment);
  });

  it('does not ask for what was written before the acknowledgement', () => {
    const early = entries.map((entry) => ({ ...entry, acknowledged: entry !== entries[0] }));
    const counted = [second, third].map((record, at) => ({ ...record, sequence: at + 1 }));
    expect(said(counted, early)).toEqual([]);
  });
});
