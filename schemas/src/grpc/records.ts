import type {
  Quote as QuoteRecord,
  Status as StatusRecord,
  Trade as TradeRecord,
} from '../generated/records.ts';
import {
  type Quote,
  Side,
  type Status,
  type Tick,
  type Trade,
} from './generated/tickline/market_data/v1/market_data.ts';

/** A tick as the records of the topics are, so that one program reads Kafka and gRPC alike. */
export type TickRecord =
  | { readonly kind: 'trade'; readonly channel: 'trades'; readonly record: TradeRecord }
  | { readonly kind: 'quote'; readonly channel: 'quotes'; readonly record: QuoteRecord }
  | { readonly kind: 'status'; readonly channel: string; readonly record: StatusRecord };

/**
 * The record of a message. Microseconds and sequences stay below 2^53 and become numbers. Null for a kind
 * that a later version may bring.
 */
export function recordOf({ kind }: Tick): TickRecord | null {
  switch (kind?.$case) {
    case 'trade':
      return { kind: 'trade', channel: 'trades', record: tradeRecord(kind.trade) };
    case 'quote':
      return { kind: 'quote', channel: 'quotes', record: quoteRecord(kind.quote) };
    case 'status':
      return { kind: 'status', channel: kind.status.channel, record: statusRecord(kind.status) };
    default:
      return null;
  }
}

function orNull(value: bigint | undefined): number | null {
  return value === undefined ? null : Number(value);
}

function sideOf(side: Side): 'buy' | 'sell' {
  if (side === Side.SIDE_BUY) return 'buy';
  if (side === Side.SIDE_SELL) return 'sell';
  throw new Error(`a trade's side must be buy or sell, is ${side}: the pod speaks a later version`);
}

function tradeRecord(trade: Trade): TradeRecord {
  return {
    exchange: trade.exchange,
    symbol: trade.symbol,
    exchangeSymbol: trade.exchangeSymbol,
    producer: trade.producer,
    session: trade.session,
    exchangeTime: orNull(trade.exchangeTimeMicros),
    receiveTime: Number(trade.receiveTimeMicros),
    sequence: Number(trade.sequence),
    conflated: trade.conflated,
    price: trade.price,
    quantity: trade.quantity,
    contracts: trade.contracts ?? null,
    side: sideOf(trade.side),
    tradeId: trade.tradeId,
    fillCount: trade.fillCount ?? null,
  };
}

function quoteRecord(quote: Quote): QuoteRecord {
  return {
    exchange: quote.exchange,
    symbol: quote.symbol,
    exchangeSymbol: quote.exchangeSymbol,
    producer: quote.producer,
    session: quote.session,
    exchangeTime: orNull(quote.exchangeTimeMicros),
    receiveTime: Number(quote.receiveTimeMicros),
    sequence: Number(quote.sequence),
    conflated: quote.conflated,
    bidPrice: quote.bidPrice ?? null,
    bidQuantity: quote.bidQuantity ?? null,
    askPrice: quote.askPrice ?? null,
    askQuantity: quote.askQuantity ?? null,
    bidContracts: quote.bidContracts ?? null,
    askContracts: quote.askContracts ?? null,
    updateId: quote.updateId ?? null,
  };
}

function statusRecord(status: Status): StatusRecord {
  return {
    exchange: status.exchange,
    symbol: status.symbol,
    exchangeSymbol: status.exchangeSymbol,
    channel: status.channel,
    producer: status.producer,
    session: status.session ?? null,
    time: Number(status.timeMicros),
    state: status.state,
    reason: status.reason,
    firstId: status.firstId ?? null,
    lastId: status.lastId ?? null,
    firstTime: orNull(status.firstTimeMicros),
    lastTime: orNull(status.lastTimeMicros),
    count: orNull(status.count),
  };
}
