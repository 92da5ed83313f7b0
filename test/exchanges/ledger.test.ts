import { describe, expect, it } from 'vitest';
import { catalogue, trimmed } from './catalogue.ts';
import { Ledger, ledgerStyle } from './ledger.ts';

const instruments = catalogue(3, {
  native: (base, quote) => `${base}-${quote}`,
  mainQuote: 'USDT',
  crosses: [],
  oddBases: [],
  btcPriceScale: 1,
  quantityScale: 8,
  maxScale: 18,
});
const trade = {
  id: 0,
  count: 3,
  time: 0,
  price: 642501,
  quantity: 1250000,
  buy: false,
  sequence: 1,
  aggregate: 1,
};

describe('Ledger', () => {
  it('gives back texts, over many blocks, from any position', () => {
    const ledger = new Ledger(ledgerStyle('okx', { numbers: trimmed }), instruments, (n) => `okx-${n}`);
    const rows = 40_000;
    for (let id = 0; id < rows; id++) {
      ledger.trade(instruments[0]!, { ...trade, quantity: 1 + id }, id, 1_000, 2_000 + id, 7, true, false);
    }
    expect(ledger.size).toBe(rows);
    expect([...ledger.entries(rows - 1)]).toEqual([
      {
        index: 39_999,
        exchange: 'okx',
        exchangeSymbol: 'BTC-USDT',
        writeTime: 41_999,
        connection: 'okx-7',
        acknowledged: true,
        snapshot: false,
        channel: 'trades',
        id: '39999',
        count: 3,
        exchangeTime: 1_000,
        price: '64250.1',
        quantity: '0.0004',
        side: 'sell',
      },
    ]);
    expect([...ledger.entries()].map(({ index }) => index)).toEqual(
      Array.from({ length: rows }, (_, at) => at),
    );
    expect(() => ledger.at(rows)).toThrow('no entry 40000');
  });

  it('says null for an empty side, and for ids and times that the exchange does not give', () => {
    const style = ledgerStyle('kraken', { quoteId: null, quoteTime: false });
    const ledger = new Ledger(style, instruments, () => '');
    const quote = {
      id: 5,
      time: 1,
      bidPrice: 0,
      bidQuantity: 0,
      askPrice: 642501,
      askQuantity: 1,
      sequence: 1,
    };
    ledger.quote(instruments[0]!, quote, 1, 2, 0, false);
    expect(ledger.at(0)).toMatchObject({
      id: null,
      exchangeTime: null,
      bidPrice: null,
      bidQuantity: null,
      askPrice: '64250.1',
      askQuantity: '0.00000001',
    });
  });
});
