// Written by schemas/generate.ts from schemas/avro/*.avsc; change those.
// Decimals are plain text, times are microseconds since the epoch.

/** One trade, or several fills that the exchange reports as one. Delivered at least once: de-duplicate by (exchange, symbol, tradeId) over a sliding window. */
export interface Trade {
  /** Exchange: binance, bybit-spot, okx, kraken. */
  exchange: string;
  /** Canonical symbol, unique per exchange: BTC-USDT. */
  symbol: string;
  /** The exchange's own name: BTCUSDT, BTC-USDT, BTC/USDT. */
  exchangeSymbol: string;
  /** Random id of one life of an ingestor pod. */
  producer: string;
  /** Random id of the WebSocket session that the tick came from. */
  session: string;
  /** When the trade happened, by the exchange's clock; null when the exchange gives no time. */
  exchangeTime: number | null;
  /** When its bytes were read from the socket, by the pod's clock. */
  receiveTime: number;
  /** Counts by one within producer, exchange, symbol and channel, from 1: a hole proves that we lost a tick. */
  sequence: number;
  /** How many earlier ticks this one stands for; always 0 on trades. */
  conflated: number;
  /** Price in the quote asset, exact. */
  price: string;
  /** Quantity in the base asset, exact. */
  quantity: string;
  /** The raw count of contracts; null where the exchange counts in the base asset. */
  contracts: string | null;
  /** The aggressor's side. */
  side: 'buy' | 'sell';
  /** The exchange's id; on OKX the last id of the fills that the trade covers. */
  tradeId: string;
  /** How many fills the exchange merged into this trade (OKX: ids tradeId - fillCount + 1 to tradeId); null when it does not say. */
  fillCount: number | null;
}

/** The best bid and offer after a change. An empty side is null. */
export interface Quote {
  /** Exchange: binance, bybit-spot, okx, kraken. */
  exchange: string;
  /** Canonical symbol, unique per exchange: BTC-USDT. */
  symbol: string;
  /** The exchange's own name: BTCUSDT, BTC-USDT, BTC/USDT. */
  exchangeSymbol: string;
  /** Random id of one life of an ingestor pod. */
  producer: string;
  /** Random id of the WebSocket session that the tick came from. */
  session: string;
  /** When the quote came to be, by the exchange's clock; null when the exchange gives no time (Binance spot). */
  exchangeTime: number | null;
  /** When its bytes were read from the socket, by the pod's clock. */
  receiveTime: number;
  /** Counts by one within producer, exchange, symbol and channel, from 1: sequence - conflated must follow the sequence before. */
  sequence: number;
  /** How many earlier ticks this one stands for (they were replaced by it while a queue was full). */
  conflated: number;
  /** Best bid in the quote asset, exact; null when there is no bid. */
  bidPrice: string | null;
  /** Quantity at the best bid in the base asset. */
  bidQuantity: string | null;
  /** Best ask in the quote asset, exact; null when there is no ask. */
  askPrice: string | null;
  /** Quantity at the best ask in the base asset. */
  askQuantity: string | null;
  /** Raw count of contracts at the bid; null where the exchange counts in the base asset. */
  bidContracts: string | null;
  /** Raw count of contracts at the ask; null where the exchange counts in the base asset. */
  askContracts: string | null;
  /** The exchange's id of the update (Binance u, Bybit u, OKX seqId); null on Kraken. */
  updateId: string | null;
}

/** What we know about one symbol's channel on one exchange: tells no data apart from no change, and names every gap. */
export interface Status {
  /** Exchange: binance, bybit-spot, okx, kraken. */
  exchange: string;
  /** Canonical symbol, as on the ticks. */
  symbol: string;
  /** The exchange's own name; empty when the exchange does not list the symbol. */
  exchangeSymbol: string;
  /** Channel: trades or quotes. */
  channel: string;
  /** Random id of one life of an ingestor pod. */
  producer: string;
  /** The WebSocket session that this is about; null when there is none. */
  session: string | null;
  /** When we noticed, by the pod's clock. */
  time: number;
  /** acknowledged, live, stale, rejected, reconnected, shedding (ticks find no room; the gap follows when they do again), gap, repeated; readers must accept further values. */
  state: string;
  /** Why, in a short phrase for people. */
  reason: string;
  /** gap: first missing id, where the exchange's ids prove it; repeated: first id that may occur twice. */
  firstId: string | null;
  /** gap: last missing id; repeated: last id that may occur twice. */
  lastId: string | null;
  /** Receive time of the last tick before the gap. */
  firstTime: number | null;
  /** Receive time of the first tick after the gap. */
  lastTime: number | null;
  /** How many ticks are missing or may be repeated; null when unknown. */
  count: number | null;
}

/** Record type by topic. */
export interface Records {
  trades: Trade;
  quotes: Quote;
  status: Status;
}
