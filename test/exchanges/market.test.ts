import { describe, expect, it } from 'vitest';
import { catalogue, type Instrument } from './catalogue.ts';
import { Market, type MarketRules, type Quote, type Trade } from './market.ts';

const instruments = catalogue(200, {
  native: (base, quote) => base + quote,
  mainQuote: 'USDT',
  crosses: [],
  oddBases: [],
  btcPriceScale: 2,
  quantityScale: 5,
  maxScale: 8,
});

const plain: MarketRules = {
  fillsPerTrade: 1,
  tradesPerFrame: 1,
  globalTradeIds: false,
  quoteIdIsSequence: false,
  uniqueTimes: false,
  emptySides: false,
  firstTradeId: 1000,
  firstQuoteId: 5000,
};

function run(rules: Partial<MarketRules>, frames: number, seed = 1, permille = 500) {
  const trades: [Instrument, readonly Trade[]][] = [];
  const quotes: [Instrument, Quote][] = [];
  const market = new Market(
    instruments,
    seed,
    permille,
    { ...plain, ...rules },
    {
      trades: (instrument, list) => trades.push([instrument, list]),
      quote: (instrument, quote) => quotes.push([instrument, quote]),
    },
  );
  for (const instrument of instruments) {
    market.activate(instrument, 'trades');
    market.activate(instrument, 'quotes');
  }
  market.step(frames);
  return { trades, quotes };
}

describe('Market', () => {
  it('repeats itself for a seed, but for the times', () => {
    const timeless = (result: ReturnType<typeof run>) => [
      result.trades.map(([i, list]) => [i.native, list.map(({ time: _, ...rest }) => rest)]),
      result.quotes.map(([i, { time: _, ...rest }]) => [i.native, rest]),
    ];
    expect(timeless(run({}, 2000))).toEqual(timeless(run({}, 2000)));
    expect(timeless(run({}, 2000))).not.toEqual(timeless(run({}, 2000, 2)));
  });

  it('touches every trading instrument, has hot ones, and never one at rest', () => {
    const { trades, quotes } = run({}, 10_000);
    const counts = new Map<string, number>();
    for (const [i] of trades) counts.set(i.native, (counts.get(i.native) ?? 0) + 1);
    expect(counts.size).toBe(200);
    expect(counts.get('BTCUSDT')!).toBeGreaterThan(10 * counts.get(instruments[199]!.native)!);
    expect(trades.every(([i]) => i.trading)).toBe(true);
    expect(trades.length + quotes.length).toBe(10_000);
    expect(trades.length).toBeGreaterThan(4500);
    expect(trades.length).toBeLessThan(5500);
  });

  it('counts trade ids by one, or by the fills a message covers', () => {
    for (const fillsPerTrade of [1, 5]) {
      const last = new Map<string, number>();
      let grouped = 0;
      for (const [{ native }, list] of run({ fillsPerTrade, tradesPerFrame: 4 }, 5000).trades) {
        for (const { id, count } of list) {
          const previous = last.get(native);
          if (previous !== undefined) expect(id - count + 1).toBe(previous + 1);
          if (count > 1) grouped++;
          last.set(native, id);
        }
      }
      expect(grouped > 0).toBe(fillsPerTrade > 1);
    }
  });

  it('never crosses a quote and keeps every number a positive safe integer', () => {
    const { trades, quotes } = run({}, 20_000);
    for (const [, q] of quotes) {
      expect(q.askPrice).toBeGreaterThan(q.bidPrice);
      for (const value of [q.bidPrice, q.bidQuantity, q.askQuantity]) {
        expect(Number.isSafeInteger(value) && value > 0).toBe(true);
      }
    }
    for (const [, list] of trades) {
      for (const t of list)
        expect(Number.isSafeInteger(t.quantity) && t.quantity > 0 && t.price > 0).toBe(true);
    }
  });

  it('gives unique rising times per instrument when the exchange does', () => {
    const last = new Map<string, number>();
    for (const [{ native }, list] of run({ uniqueTimes: true, tradesPerFrame: 4 }, 5000, 1, 1000).trades) {
      for (const { time } of list) {
        expect(time).toBeGreaterThan(last.get(native) ?? 0);
        last.set(native, time);
      }
    }
  });

  it('leaves a side empty now and then only where the exchange may', () => {
    expect(run({}, 5000).quotes.some(([, q]) => q.bidPrice === 0 || q.askPrice === 0)).toBe(false);
    expect(run({ emptySides: true }, 20_000).quotes.some(([, q]) => q.bidPrice === 0)).toBe(true);
  });
});
