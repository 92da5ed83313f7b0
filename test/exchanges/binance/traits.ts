import { ledgerStyle } from '../ledger.ts';
import type { ExchangeTraits } from '../protocol.ts';
import { binanceFaultFrames, binanceNumbers } from './frames.ts';
import { binanceLimits } from './limits.ts';
import { binanceNaming } from './listing.ts';
import { BinanceProtocol } from './protocol.ts';

/** Binance spot: trade ids count by one per symbol, quotes carry an update id and no time. */
export const binance: ExchangeTraits = {
  exchange: 'binance',
  limits: binanceLimits,
  naming: binanceNaming,
  ledger: ledgerStyle('binance', { numbers: binanceNumbers, quoteTime: false }),
  market: {
    fillsPerTrade: 1,
    tradesPerFrame: 1,
    globalTradeIds: false,
    quoteIdIsSequence: false,
    uniqueTimes: false,
    emptySides: false,
    firstTradeId: 5_123_000_000,
    firstQuoteId: 70_012_000_000,
  },
  faultFrames: binanceFaultFrames,
  connectRefusal: 429,
  protocol: (host) => new BinanceProtocol(host),
};
