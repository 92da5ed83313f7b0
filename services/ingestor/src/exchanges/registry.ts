import type { ExchangeName } from '@tickline/schemas';
import { binance } from './binance/index.ts';
import { documentedLimits as binanceDocumented } from './binance/limits.ts';
import { bybitSpot } from './bybit/index.ts';
import { documentedLimits as bybitDocumented } from './bybit/limits.ts';
import type { Exchange, FeedLimits } from './exchange.ts';
import { kraken } from './kraken/index.ts';
import { documentedLimits as krakenDocumented } from './kraken/limits.ts';
import { okx } from './okx/index.ts';
import { documentedLimits as okxDocumented } from './okx/limits.ts';

/** Every exchange by its name in configuration, labels and records. A fifth one is one line here. */
export const exchanges: Readonly<Record<ExchangeName, Exchange>> = {
  binance,
  'bybit-spot': bybitSpot,
  okx,
  kraken,
};

/** What each exchange's documentation allows: no setting may exceed it. Absent: it gives no figure. */
export const documentedLimits: Readonly<Record<ExchangeName, Partial<FeedLimits>>> = {
  binance: binanceDocumented,
  'bybit-spot': bybitDocumented,
  okx: okxDocumented,
  kraken: krakenDocumented,
};
