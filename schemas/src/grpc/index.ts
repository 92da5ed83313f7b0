/** The gRPC service: its messages, and a client that finds the right pods by itself. */
export { MarketDataClient, NoPodError, TickSubscription } from './client.ts';
export type { MarketDataClientOptions, TickSelection } from './client-options.ts';
export type { TickGap } from './continuity.ts';
export { FILE_DESCRIPTOR_SET } from './generated/descriptors.ts';
export {
  ExchangeStatus,
  GetStatusRequest,
  GetStatusResponse,
  Instrument,
  ListInstrumentsRequest,
  ListInstrumentsResponse,
  MarketDataClient as MarketDataStub,
  type MarketDataServer,
  MarketDataService,
  OwnedElsewhere,
  Owner,
  Quote as QuoteMessage,
  Side,
  Status as StatusMessage,
  SubscribeRequest,
  Tick,
  TickBatch,
  TooSlow,
  Trade as TradeMessage,
  WrongOwner,
} from './generated/tickline/market_data/v1/market_data.ts';
export type { ConnectionChange, TickEvent } from './pod-stream.ts';
export { recordOf, type TickRecord } from './records.ts';
export { detailOf, detailTrailers, type StatusDetail } from './rich-status.ts';
export { isSymbolPattern, symbolFits } from './symbol-pattern.ts';
