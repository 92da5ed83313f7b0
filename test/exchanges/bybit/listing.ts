import { type Instrument, lotSizeText, type Naming, tickSizeText } from '../catalogue.ts';

/** Spot names are the two coins put together, in upper case. */
export const bybitNaming: Naming = {
  native: (base, quote) => base + quote,
  mainQuote: 'USDT',
  crosses: [
    ['ETH', 'BTC'],
    ['BTC', 'USDC'],
    ['BTC', 'EUR'],
    ['BTC', 'BRL'],
  ],
  oddBases: ['AAPLX', '1INCH', 'A8'],
  btcPriceScale: 1,
  quantityScale: 6,
  maxScale: 18,
};

const restingStatus = ['PreLaunch', 'Closed'];

/** Status of an instrument. */
export function statusOf(instrument: Instrument): string {
  return instrument.trading ? 'Trading' : restingStatus[instrument.rank % restingStatus.length]!;
}

/** One entry of `list` of `GET /v5/market/instruments-info?category=spot`. */
export function listed(instrument: Instrument): Record<string, unknown> {
  const lot = lotSizeText(instrument);
  return {
    symbol: instrument.native,
    baseCoin: instrument.base,
    quoteCoin: instrument.quote,
    innovation: '0',
    symbolType: instrument.base === 'AAPLX' ? 'xstocks' : '',
    status: statusOf(instrument),
    marginTrading: 'utaOnly',
    stTag: '0',
    lotSizeFilter: {
      basePrecision: lot,
      quotePrecision: '0.0000001',
      minOrderQty: lot,
      maxOrderQty: '999999999',
      minOrderAmt: '5',
      maxOrderAmt: '8000000',
      maxLimitOrderQty: '999999999',
      maxMarketOrderQty: '999999',
      postOnlyMaxLimitOrderSize: '999999999',
    },
    priceFilter: { tickSize: tickSizeText(instrument) },
    riskParameters: { priceLimitRatioX: '0.01', priceLimitRatioY: '0.02' },
  };
}
