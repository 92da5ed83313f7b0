import { instrumentDigits } from '../catalogue.ts';
import { ledgerStyle } from '../ledger.ts';
import type { ExchangeTraits } from '../protocol.ts';
import { krakenFaultFrames } from './frames.ts';
import { krakenLimits } from './limits.ts';
import { krakenNaming } from './listing.ts';
import { KrakenProtocol } from './protocol.ts';

/** Kraken spot v2: trade ids count by one per pair, quotes have no id, times are unique per pair. */
export const kraken: ExchangeTraits = {
  exchange: 'kraken',
  limits: krakenLimits,
  naming: krakenNaming,
  ledger: ledgerStyle('kraken', { numbers: instrumentDigits, quoteId: null }),
  market: {
    fillsPerTrade: 1,
    tradesPerFrame: 4,
    globalTradeIds: false,
    quoteIdIsSequence: false,
    uniqueTimes: true,
    emptySides: false,
    firstTradeId: 91_000_000,
    firstQuoteId: 0,
  },
  faultFrames: krakenFaultFrames,
  connectRefusal: 429,
  protocol: (host) => new KrakenProtocol(host),
};
