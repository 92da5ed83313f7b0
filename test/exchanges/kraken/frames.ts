import { type Instrument, instrumentDigits } from '../catalogue.ts';
import { rfc3339Micros } from '../clock.ts';
import type { FaultFrames } from '../faults.ts';
import type { Quote, Trade } from '../market.ts';

/** A `trade` frame; prices and quantities are JSON numbers with the instrument's digits. */
export function tradeFrame(
  instrument: Instrument,
  trades: readonly Trade[],
  type: 'snapshot' | 'update',
): string {
  const { price, quantity } = instrumentDigits;
  const rows = trades.map(
    (trade) =>
      `{"symbol":"${instrument.native}","side":"${trade.buy ? 'buy' : 'sell'}","price":${price(instrument, trade.price)},"qty":${quantity(instrument, trade.quantity)},"ord_type":"${trade.id % 3 === 0 ? 'limit' : 'market'}","trade_id":${trade.id},"timestamp":"${rfc3339Micros(trade.time)}"}`,
  );
  return `{"channel":"trade","type":"${type}","data":[${rows.join(',')}]}`;
}

/** A `ticker` frame; the 24-hour figures are made from the quote. */
export function tickerFrame(instrument: Instrument, quote: Quote, type: 'snapshot' | 'update'): string {
  const { price, quantity } = instrumentDigits;
  const bid = price(instrument, quote.bidPrice);
  const start = price(instrument, instrument.startTicks);
  return `{"channel":"ticker","type":"${type}","data":[{"symbol":"${instrument.native}","bid":${bid},"bid_qty":${quantity(instrument, quote.bidQuantity)},"ask":${price(instrument, quote.askPrice)},"ask_qty":${quantity(instrument, quote.askQuantity)},"last":${bid},"volume":1632.89080000,"vwap":${start},"low":${price(instrument, instrument.startTicks >> 1)},"high":${price(instrument, instrument.startTicks * 2)},"change":${price(instrument, 1)},"change_pct":0.01,"timestamp":"${rfc3339Micros(quote.time)}"}]}`;
}

/** Where prices stand, for faults. */
export const krakenFaultFrames: FaultFrames = {
  price: /("price":|"bid":)([0-9.]+)/,
  invalidPrice: '-1.5',
};
