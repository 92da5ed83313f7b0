import { trimmed } from '../catalogue.ts';
import { ledgerStyle } from '../ledger.ts';
import type { ExchangeTraits } from '../protocol.ts';
import { okxFaultFrames } from './frames.ts';
import { okxLimits } from './limits.ts';
import { okxNaming } from './listing.ts';
import { OkxProtocol } from './protocol.ts';

/** OKX spot: a trade message may cover several fills, quotes carry a sequence number that is not contiguous. */
export const okx: ExchangeTraits = {
  exchange: 'okx',
  limits: okxLimits,
  naming: okxNaming,
  ledger: ledgerStyle('okx', { numbers: trimmed }),
  market: {
    fillsPerTrade: 9,
    tradesPerFrame: 1,
    globalTradeIds: false,
    quoteIdIsSequence: true,
    uniqueTimes: false,
    emptySides: true,
    firstTradeId: 690_000_000,
    firstQuoteId: 50_123_000_000,
  },
  faultFrames: okxFaultFrames,
  connectRefusal: 429,
  protocol: (host) => new OkxProtocol(host),
};
