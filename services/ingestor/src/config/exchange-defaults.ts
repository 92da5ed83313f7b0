import type { ExchangeName, TickChannel } from '@tickline/schemas';
import type { Exchange, FeedLimits } from '../exchanges/exchange.ts';
import { documentedLimits, exchanges } from '../exchanges/registry.ts';

/** What the configuration of an exchange starts from: the exchange's own data. */
export interface ExchangeDefaults extends Pick<Exchange, 'endpoints' | 'limits'> {
  readonly channels: readonly TickChannel[];
  readonly heartbeat: Pick<Exchange['heartbeat'], 'pingAfterMs'>;
  /** What the exchange's documentation allows: nothing above it can be set. */
  readonly documentedLimits: Partial<FeedLimits>;
}

export type AllExchangeDefaults = Readonly<Record<ExchangeName, ExchangeDefaults>>;

export const exchangeDefaults: AllExchangeDefaults = {
  binance: { ...exchanges.binance, documentedLimits: documentedLimits.binance },
  'bybit-spot': { ...exchanges['bybit-spot'], documentedLimits: documentedLimits['bybit-spot'] },
  okx: { ...exchanges.okx, documentedLimits: documentedLimits.okx },
  kraken: { ...exchanges.kraken, documentedLimits: documentedLimits.kraken },
};
