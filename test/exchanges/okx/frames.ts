import { trimmed } from '../catalogue.ts';
import type { Stream } from '../connection.ts';
import type { FaultFrames } from '../faults.ts';
import type { Quote, Trade } from '../market.ts';

const ms = (micros: number): number => Math.floor(micros / 1000);

/** A `trades` push: one message covers the fills `tradeId - count + 1 … tradeId`. */
export function tradesPush({ instrument }: Stream, trade: Trade): string {
  const { native } = instrument;
  return `{"arg":{"channel":"trades","instId":"${native}"},"data":[{"instId":"${native}","tradeId":"${trade.id}","px":"${trimmed.price(instrument, trade.price)}","sz":"${trimmed.quantity(instrument, trade.quantity)}","side":"${trade.buy ? 'buy' : 'sell'}","ts":"${ms(trade.time)}","count":"${trade.count}","source":"0","seqId":${trade.sequence}}]}`;
}

/** A `bbo-tbt` push: rows of price, size, a deprecated "0" and the number of orders; a side may be empty. */
export function bboPush({ instrument }: Stream, quote: Quote): string {
  const side = (price: number, quantity: number): string =>
    price === 0
      ? '[]'
      : `[["${trimmed.price(instrument, price)}","${trimmed.quantity(instrument, quantity)}","0","${1 + (quote.sequence % 7)}"]]`;
  return `{"arg":{"channel":"bbo-tbt","instId":"${instrument.native}"},"data":[{"asks":${side(quote.askPrice, quote.askQuantity)},"bids":${side(quote.bidPrice, quote.bidQuantity)},"ts":"${ms(quote.time)}","seqId":${quote.sequence}}]}`;
}

/** Where prices stand, for faults. */
export const okxFaultFrames: FaultFrames = {
  price: /("px":|"asks":\[\[|"bids":\[\[)("[^"]*")/,
  invalidPrice: '"-1.5"',
};
