import { describe, expect, it } from 'vitest';
import type { Instrument, InstrumentStatus } from '../exchanges/instrument.ts';
import { AmbiguousSymbolError, wantedUnits } from './wanted-units.ts';

function listed(symbol: string, exchangeSymbol: string, status: InstrumentStatus = 'trading'): Instrument {
  const [base = '', quote = ''] = symbol.split('-');
  return {
    exchange: 'binance',
    symbol,
    exchangeSymbol,
    kind: 'spot',
    base,
    quote,
    settle: quote,
    status,
    nativeStatus: status,
    priceIncrement: null,
    quantityIncrement: null,
    contractSize: null,
    inverse: false,
    expiry: null,
  };
}

const listing = [
  listed('BTC-USDT', 'BTCUSDT'),
  listed('ETH-USDT', 'ETHUSDT'),
  listed('OLD-USDT', 'OLDUSDT', 'halted'),
];
const all = () => true;

describe('wantedUnits', () => {
  it('takes what is wanted and owned, and names what is not listed', () => {
    const wanted = (symbol: string) => ['BTC-USDT', 'NEW-USDT', 'ODD-USDT'].includes(symbol);
    const units = wantedUnits(
      listing,
      wanted,
      ['BTC-USDT', 'NEW-USDT', 'ODD-USDT'],
      (symbol) => symbol !== 'ODD-USDT',
    );
    expect(units.listed.map((each) => each.exchangeSymbol)).toEqual(['BTCUSDT']);
    expect(units.unlisted).toEqual(['NEW-USDT']);
    expect(wantedUnits(listing, all, [], () => false)).toMatchObject({
      listed: [],
      all: [{ symbol: 'BTC-USDT' }, { symbol: 'ETH-USDT' }],
    });
  });

  it('takes only what trades by a pattern, and what is named in any status', () => {
    expect(wantedUnits(listing, all, [], all).listed.map((each) => each.symbol)).toEqual([
      'BTC-USDT',
      'ETH-USDT',
    ]);
    expect(wantedUnits(listing, all, ['OLD-USDT'], all).listed).toHaveLength(3);
  });

  it('refuses two native names of one symbol, unless nobody wants it', () => {
    const double = [...listing, listed('BTC-USDT', 'XBTUSDT')];
    expect(() => wantedUnits(double, all, [], all)).toThrow(AmbiguousSymbolError);
    expect(() => wantedUnits(double, all, [], all)).toThrow('BTCUSDT and XBTUSDT, which are both BTC-USDT');
    expect(wantedUnits(double, (symbol) => symbol === 'ETH-USDT', [], all).listed).toHaveLength(1);
  });
});
