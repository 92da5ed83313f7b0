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

  it('forgets what is needed no more, block by block, and keeps positions', () => {
    const ledger = new Ledger(ledgerStyle('okx', {}), instruments, () => 'okx-1');
    const write = (count: number) => {
      for (let n = 0; n < count; n++) {
        ledger.trade(instruments[0]!, trade, ledger.size, 1_000, 2_000, 1, true, false);
      }
    };
    write(40_000);
    ledger.forgetBefore(20_000);
    expect(ledger).toMatchObject({ size: 40_000, forgotten: 20_000, kept: 40_000 - 16_384 });
    expect(() => ledger.at(19_999)).toThrow('forgotten entry 19999: it begins at 20000');
    expect(ledger.at(20_000)).toMatchObject({ index: 20_000, id: '20000' });
    expect([...ledger.entries()]).toHaveLength(20_000);
    ledger.forgetBefore(5);
    expect(ledger.forgotten).toBe(20_000);
    // Twenty times as much goes through it, and never more than a part of a block stays.
    for (let round = 0; round < 50; round++) {
      write(16_000);
      ledger.forgetBefore(ledger.size);
      expect(ledger.kept).toBeLessThan(16_384);
      expect([...ledger.entries()]).toEqual([]);
    }
    write(1);
    expect([...ledger.entries()].map(({ id }) => id)).toEqual(['840000']);
    for (const nowhere of [840_002, -1, 0.5]) expect(() => ledger.forgetBefore(nowhere)).toThrow(RangeError);
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
