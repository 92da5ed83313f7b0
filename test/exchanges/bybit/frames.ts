import { type Instrument, trimmed } from '../catalogue.ts';
import type { FaultFrames } from '../faults.ts';
import type { Quote, Trade } from '../market.ts';

const ms = (micros: number): number => Math.floor(micros / 1000);

/** A `publicTrade` message; the order of keys is that of captured spot frames. */
export function publicTrade(
  instrument: Instrument,
  trades: readonly Trade[],
  idText: (id: number) => string,
  now: number,
): string {
  const { native } = instrument;
  const rows = trades.map(
    (trade) =>
      `{"i":"${idText(trade.id)}","T":${ms(trade.time)},"p":"${trimmed.price(instrument, trade.price)}","v":"${trimmed.quantity(instrument, trade.quantity)}","S":"${trade.buy ? 'Buy' : 'Sell'}","seq":${trade.sequence},"s":"${native}","BT":false,"RPI":false}`,
  );
  return `{"topic":"publicTrade.${native}","type":"snapshot","ts":${ms(now)},"data":[${rows.join(',')}]}`;
}

/** An `orderbook.1` message: always a snapshot; `ts` is the gateway's time, `cts` the matching engine's. */
export function orderbook1(instrument: Instrument, quote: Quote, now: number): string {
  const { native } = instrument;
  const level = (price: number, quantity: number): string =>
    price === 0 ? '' : `["${trimmed.price(instrument, price)}","${trimmed.quantity(instrument, quantity)}"]`;
  return `{"topic":"orderbook.1.${native}","ts":${ms(now)},"type":"snapshot","data":{"s":"${native}","b":[${level(quote.bidPrice, quote.bidQuantity)}],"a":[${level(quote.askPrice, quote.askQuantity)}],"u":${quote.id},"seq":${quote.sequence}},"cts":${ms(quote.time)}}`;
}

/** Where prices stand, for faults. */
export const bybitFaultFrames: FaultFrames = {
  price: /("p":|"b":\[\[)("[^"]*")/,
  invalidPrice: '"-1.5"',
};
