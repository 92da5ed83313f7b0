import { type Instrument, type Naming, paddedTo, priceUnits } from '../catalogue.ts';
import { fixedText } from '../decimal-text.ts';

/** Spot names are the two assets put together; some are not ASCII. */
export const binanceNaming: Naming = {
  native: (base, quote) => base + quote,
  mainQuote: 'USDT',
  crosses: [
    ['ETH', 'BTC'],
    ['BTC', 'USDC'],
    ['SOL', 'BTC'],
    ['BTC', 'EUR'],
  ],
  oddBases: ['1000SATS', '币安人生', '1INCH'],
  btcPriceScale: 2,
  quantityScale: 5,
  maxScale: 8,
};

const pad8 = paddedTo(8);
const restingStatus = ['BREAK', 'HALT', 'END_OF_DAY'];

/** One entry of `symbols` of `GET /api/v3/exchangeInfo`. */
function listed(instrument: Instrument): Record<string, unknown> {
  const tick = pad8.price(instrument, 1);
  const step = fixedText(1, instrument.quantityScale, 8);
  const status = instrument.trading ? 'TRADING' : restingStatus[instrument.rank % restingStatus.length];
  const highest = fixedText(priceUnits(instrument, 1_000_000_000), instrument.priceScale, 8);
  return {
    symbol: instrument.native,
    status,
    baseAsset: instrument.base,
    baseAssetPrecision: 8,
    quoteAsset: instrument.quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT'],
    icebergAllowed: true,
    ocoAllowed: true,
    otoAllowed: true,
    opoAllowed: true,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    amendAllowed: true,
    pegInstructionsAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: instrument.rank % 2 === 0,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tick, maxPrice: highest, tickSize: tick },
      { filterType: 'LOT_SIZE', minQty: step, maxQty: '9000000000.00000000', stepSize: step },
      { filterType: 'ICEBERG_PARTS', limit: 100 },
      { filterType: 'MARKET_LOT_SIZE', minQty: '0.00000000', maxQty: '81.71938075', stepSize: '0.00000000' },
      {
        filterType: 'TRAILING_DELTA',
        minTrailingAboveDelta: 10,
        maxTrailingAboveDelta: 2000,
        minTrailingBelowDelta: 10,
        maxTrailingBelowDelta: 2000,
      },
      {
        filterType: 'PERCENT_PRICE_BY_SIDE',
        bidMultiplierUp: '5',
        bidMultiplierDown: '0.2',
        askMultiplierUp: '5',
        askMultiplierDown: '0.2',
        avgPriceMins: 5,
      },
      {
        filterType: 'NOTIONAL',
        minNotional: '5.00000000',
        applyMinToMarket: true,
        maxNotional: '9000000.00000000',
        applyMaxToMarket: false,
        avgPriceMins: 5,
      },
      { filterType: 'MAX_NUM_ORDERS', maxNumOrders: 200 },
      { filterType: 'MAX_NUM_ORDER_LISTS', maxNumOrderLists: 20 },
      { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: 5 },
      { filterType: 'MAX_NUM_ORDER_AMENDS', maxNumOrderAmends: 10 },
    ],
    permissions: [],
    permissionSets: [['SPOT', 'TRD_GRP_004']],
    defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
    allowedSelfTradePreventionModes: ['EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH', 'DECREMENT'],
  };
}

/** The body of `GET /api/v3/exchangeInfo` for some instruments. */
export function exchangeInfo(instruments: readonly Instrument[], weightPerMinute: number): unknown {
  return {
    timezone: 'UTC',
    serverTime: Date.now(),
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightPerMinute },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
      { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: 200_000 },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: instruments.map(listed),
  };
}

/** Whether an instrument passes the query's `symbolStatus`. */
export function hasStatus(instrument: Instrument, status: string | null): boolean {
  return status === null || (listed(instrument).status as string) === status;
}
