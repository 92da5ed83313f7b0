import { paddedTo } from '../catalogue.ts';
import type { Stream } from '../connection.ts';
import type { FaultFrames } from '../faults.ts';
import type { Quote, Trade } from '../market.ts';

/** Bits of a connection's variant: wrapped in `{"stream":…,"data":…}`, and times in microseconds. */
export const combined = 1;
export const micros = 2;

/** Binance pads every price and quantity to eight digits. */
export const binanceNumbers = paddedTo(8);

/** A time in the unit that the connection asked for (`timeUnit=MICROSECOND`, else milliseconds). */
export function timeText(time: number, variant: number): string {
  return String((variant & micros) !== 0 ? time : Math.floor(time / 1000));
}

/** The payload as a connection wants it. */
export function wrapped(stream: string, payload: string, variant: number): string {
  return (variant & combined) !== 0 ? `{"stream":"${stream}","data":${payload}}` : payload;
}

/** Name of a stream: the symbol in lower case, `@`, the form. */
export function streamName({ instrument, form }: Stream): string {
  return `${instrument.native.toLowerCase()}@${form}`;
}

/** A `trade` or `aggTrade` event; `m` is true when the buyer was the maker. */
export function tradePayload(stream: Stream, trade: Trade, variant: number, now: number): string {
  const { instrument } = stream;
  const id =
    stream.form === 'aggTrade'
      ? `"a":${trade.aggregate},"p":"${binanceNumbers.price(instrument, trade.price)}","q":"${binanceNumbers.quantity(instrument, trade.quantity)}","f":${trade.id},"l":${trade.id}`
      : `"t":${trade.id},"p":"${binanceNumbers.price(instrument, trade.price)}","q":"${binanceNumbers.quantity(instrument, trade.quantity)}"`;
  return `{"e":"${stream.form}","E":${timeText(now, variant)},"s":"${instrument.native}",${id},"T":${timeText(trade.time, variant)},"m":${!trade.buy},"M":true}`;
}

/** A `bookTicker` event: no type and no time. */
export function bookTickerPayload({ instrument }: Stream, quote: Quote): string {
  const { price, quantity } = binanceNumbers;
  return `{"u":${quote.id},"s":"${instrument.native}","b":"${price(instrument, quote.bidPrice)}","B":"${quantity(instrument, quote.bidQuantity)}","a":"${price(instrument, quote.askPrice)}","A":"${quantity(instrument, quote.askQuantity)}"}`;
}

/** Where prices stand, for faults. */
export const binanceFaultFrames: FaultFrames = {
  price: /("[pb]":)("[^"]*")/,
  invalidPrice: '"-1.00000000"',
};
