import type { ExchangeName } from './names.ts';

/**
 * What the trade ids of an exchange prove about completeness:
 *
 * - `counting`: each trade of a symbol has the id of the one before plus 1;
 * - `counting-fills`: a trade covers the ids `tradeId − fillCount + 1 … tradeId`, the next one starts above;
 * - `opaque`: nothing.
 */
export type TradeIdRule = 'counting' | 'counting-fills' | 'opaque';

/**
 * The rule of each exchange. Sources: Binance Spot "WebSocket Streams", Trade Streams (`t`); Bybit V5 "Trade"
 * (`i`, of no stated order); OKX V5 "Trades channel" (`tradeId`, `count`); Kraken WebSocket v2 "Trade" (`trade_id`).
 */
export const TRADE_ID_RULES: Readonly<Record<ExchangeName, TradeIdRule>> = {
  binance: 'counting',
  'bybit-spot': 'opaque',
  okx: 'counting-fills',
  kraken: 'counting',
};
