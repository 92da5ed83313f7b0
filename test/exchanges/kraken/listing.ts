import { type Instrument, instrumentDigits, type Naming } from '../catalogue.ts';
import { scientificText } from '../decimal-text.ts';

/** v2 names are base, slash, quote, with BTC and DOGE (not XBT and XDG); tokenized names hold lower case. */
export const krakenNaming: Naming = {
  native: (base, quote) => `${base}/${quote}`,
  mainQuote: 'USD',
  crosses: [
    ['ETH', 'BTC'],
    ['BTC', 'EUR'],
    ['ETH', 'EUR'],
    ['BTC', 'USDT'],
  ],
  oddBases: ['AAPLx', '1INCH', 'EUR'],
  btcPriceScale: 1,
  quantityScale: 8,
  maxScale: 18,
};

const restingStatus = ['maintenance', 'cancel_only', 'delisted', 'work_in_progress'];

/** One of `pairs` of the `instrument` channel, as JSON text: its numbers are printed as Kraken prints them. */
function pairText(instrument: Instrument): string {
  const { native, base, quote, priceScale, quantityScale, tickUnits, trading, rank } = instrument;
  const increment = scientificText(tickUnits, priceScale);
  const status = trading ? 'online' : restingStatus[rank % restingStatus.length];
  return `{"symbol":"${native}","base":"${base}","quote":"${quote}","status":"${status}","qty_precision":${quantityScale},"qty_increment":${scientificText(1, quantityScale)},"price_precision":${priceScale},"price_increment":${increment},"tick_size":${increment},"qty_min":${instrumentDigits.quantity(instrument, 1)},"cost_precision":5,"cost_min":0.50000,"marginable":${rank % 2 === 0},"has_index":${rank % 3 === 0}}`;
}

/** The snapshot of the `instrument` channel; `data` is an object. */
export function instrumentSnapshot(instruments: readonly Instrument[]): string {
  const assets = [...new Set(instruments.flatMap(({ base, quote }) => [base, quote]))].map(
    (id) =>
      `{"id":"${id}","status":"enabled","precision":10,"precision_display":5,"borrowable":true,"collateral_value":1.0,"margin_rate":0.020000}`,
  );
  const pairs = instruments.map(pairText).join(',');
  return `{"channel":"instrument","type":"snapshot","data":{"assets":[${assets.join(',')}],"pairs":[${pairs}]}}`;
}

const legacy: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' };

/** The result of REST `AssetPairs`, with the legacy names that v2 does not know. */
export function assetPairs(instruments: readonly Instrument[]): Record<string, unknown> {
  const pairs: Record<string, unknown> = {};
  for (const instrument of instruments) {
    const base = legacy[instrument.base] ?? instrument.base;
    pairs[base + instrument.quote] = {
      altname: base + instrument.quote,
      wsname: `${base}/${instrument.quote}`,
      base,
      quote: instrument.quote,
      pair_decimals: instrument.priceScale,
      lot_decimals: instrument.quantityScale,
      lot_multiplier: 1,
      ordermin: instrumentDigits.quantity(instrument, 1),
      costmin: '0.5',
      tick_size: instrumentDigits.price(instrument, 1),
      status: instrument.trading ? 'online' : restingStatus[instrument.rank % restingStatus.length],
    };
  }
  return pairs;
}
