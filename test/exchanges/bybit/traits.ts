import { trimmed } from '../catalogue.ts';
import { ledgerStyle } from '../ledger.ts';
import type { ExchangeTraits } from '../protocol.ts';
import { bybitFaultFrames } from './frames.ts';
import { bybitLimits } from './limits.ts';
import { bybitNaming } from './listing.ts';
import { BybitProtocol, tradeIdText } from './protocol.ts';

/** Bybit spot: opaque trade ids, several trades in a message, repeated snapshots of depth 1. */
export const bybit: ExchangeTraits = {
  exchange: 'bybit-spot',
  limits: bybitLimits,
  naming: bybitNaming,
  ledger: ledgerStyle('bybit-spot', { numbers: trimmed, tradeId: tradeIdText }),
  market: {
    fillsPerTrade: 1,
    tradesPerFrame: 6,
    globalTradeIds: true,
    quoteIdIsSequence: false,
    uniqueTimes: false,
    emptySides: false,
    firstTradeId: 0,
    firstQuoteId: 22_760_000,
  },
  faultFrames: bybitFaultFrames,
  connectRefusal: 403,
  protocol: (host) => new BybitProtocol(host),
};
