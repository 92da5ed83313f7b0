import type { Instrument } from './catalogue.ts';
import { nowMicros } from './clock.ts';
import { mix32, Random } from './random.ts';

/** The two kinds of data that are simulated. */
export type Channel = 'trades' | 'quotes';

/** A made-up execution. Prices are in ticks, quantities in strides (see `Instrument`), times in microseconds. */
export interface Trade {
  readonly id: number;
  /** Fills covered, see `TradeEntry.count`. */
  readonly count: number;
  readonly time: number;
  readonly price: number;
  readonly quantity: number;
  /** True when the aggressor bought. */
  readonly buy: boolean;
  /** A number that rises over trades and quotes of the instrument (Bybit `seq`, OKX `seqId`). */
  readonly sequence: number;
  /** Id in the space of aggregated trades (Binance `aggTrade`). */
  readonly aggregate: number;
}

/** A made-up best bid and offer; price 0 with quantity 0 is an empty side. */
export interface Quote {
  readonly id: number;
  readonly time: number;
  readonly bidPrice: number;
  readonly bidQuantity: number;
  readonly askPrice: number;
  readonly askQuantity: number;
  readonly sequence: number;
}

/** What differs between the exchanges' markets. */
export interface MarketRules {
  /** Most fills that one trade message covers; 1 except on OKX. */
  readonly fillsPerTrade: number;
  /** Most trades in one frame; 1 except on Bybit and Kraken. */
  readonly tradesPerFrame: number;
  /** Trade ids count over all instruments (they become opaque texts), not per instrument. */
  readonly globalTradeIds: boolean;
  /** The quote's id is the instrument's rising sequence rather than a count by one. */
  readonly quoteIdIsSequence: boolean;
  /** Times are unique and increasing per instrument (Kraken). */
  readonly uniqueTimes: boolean;
  /** Once in a while a side of a quote is empty (OKX). */
  readonly emptySides: boolean;
  /** First ids, before a per-instrument offset. */
  readonly firstTradeId: number;
  readonly firstQuoteId: number;
}

/** Where the market's events go. */
export interface MarketListener {
  trades(instrument: Instrument, trades: readonly Trade[]): void;
  quote(instrument: Instrument, quote: Quote): void;
}

interface Pulse {
  mid: number;
  tradeId: number;
  quoteId: number;
  sequence: number;
  aggregate: number;
  lastTime: number;
}

/**
 * Draws an instrument of a growing set by a Zipf-like popularity over the catalogue's ranks; one draw in eight goes
 * round all of them in turn, so that none starves. Integers only.
 */
class Popularity {
  readonly #members: Instrument[] = [];
  #bounds = new Float64Array(0);
  #total = 0;
  #turn = 0;
  #stale = false;

  add(instrument: Instrument): void {
    this.#members.push(instrument);
    this.#stale = true;
  }

  get size(): number {
    return this.#members.length;
  }

  draw(random: Random): Instrument {
    if (this.#stale) this.#measure();
    if (random.oneIn(8)) {
      this.#turn = (this.#turn + 1) % this.#members.length;
      return this.#members[this.#turn]!;
    }
    const point = random.below(this.#total);
    let low = 0;
    let high = this.#members.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bounds[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return this.#members[low]!;
  }

  #measure(): void {
    this.#bounds = new Float64Array(this.#members.length);
    this.#total = 0;
    for (const [position, instrument] of this.#members.entries()) {
      this.#total += Math.floor(10_000_000 / (instrument.rank + 3));
      this.#bounds[position] = this.#total;
    }
    this.#stale = false;
  }
}

/**
 * A seeded synthetic market. It moves the instruments that somebody has ever subscribed, and goes on moving them
 * when nobody listens any more: that is what a reconnecting client has missed.
 */
export class Market {
  readonly #rules: MarketRules;
  readonly #listener: MarketListener;
  readonly #random: Random;
  readonly #pulses: Pulse[];
  readonly #popularity: Record<Channel, Popularity> = { trades: new Popularity(), quotes: new Popularity() };
  readonly #active: Record<Channel, Set<number>> = { trades: new Set(), quotes: new Set() };
  readonly #tradePermille: number;
  #globalTradeId: number;

  /**
   * @param tradePermille how many of a thousand frames are trades; the rest are quotes
   */
  constructor(
    instruments: readonly Instrument[],
    seed: number,
    tradePermille: number,
    rules: MarketRules,
    listener: MarketListener,
  ) {
    this.#rules = rules;
    this.#listener = listener;
    this.#random = new Random(seed);
    this.#tradePermille = tradePermille;
    this.#globalTradeId = rules.firstTradeId + mix32(seed) * 0x1_0000;
    this.#pulses = instruments.map((instrument) => {
      const offset = mix32(seed + instrument.rank) % 1_000_000;
      return {
        mid: instrument.startTicks,
        tradeId: rules.firstTradeId + offset,
        quoteId: rules.firstQuoteId + offset,
        sequence: rules.firstQuoteId + offset,
        aggregate: Math.floor(rules.firstTradeId / 2) + offset,
        lastTime: 0,
      };
    });
  }

  /** From now on the instrument's channel has events. Not for an instrument that is not trading. */
  activate(instrument: Instrument, channel: Channel): void {
    if (!instrument.trading || this.#active[channel].has(instrument.rank)) return;
    this.#active[channel].add(instrument.rank);
    this.#popularity[channel].add(instrument);
  }

  /** Whether anything was ever activated. */
  get active(): boolean {
    return this.#popularity.trades.size + this.#popularity.quotes.size > 0;
  }

  /** Makes so many frames' worth of events. */
  step(frames: number): void {
    const { trades, quotes } = this.#popularity;
    if (!this.active) return;
    for (let frame = 0; frame < frames; frame++) {
      const wantsTrade = this.#random.below(1000) < this.#tradePermille;
      const channel = (wantsTrade && trades.size > 0) || quotes.size === 0 ? 'trades' : 'quotes';
      const instrument = this.#popularity[channel].draw(this.#random);
      if (channel === 'trades') this.trade(instrument);
      else this.quote(instrument);
    }
  }

  /** One frame of trades of an instrument, now. */
  trade(instrument: Instrument): void {
    const random = this.#random;
    const rules = this.#rules;
    const frames =
      rules.tradesPerFrame > 1 && random.oneIn(8) ? 2 + random.below(rules.tradesPerFrame - 1) : 1;
    const pulse = this.#pulses[instrument.rank]!;
    const trades: Trade[] = [];
    const buy = random.oneIn(2);
    for (let at = 0; at < frames; at++) {
      this.#walk(instrument, pulse);
      const count =
        rules.fillsPerTrade > 1 && random.oneIn(4) ? 2 + random.below(rules.fillsPerTrade - 1) : 1;
      pulse.tradeId += count;
      pulse.aggregate++;
      if (at === 0) pulse.sequence += 1 + random.below(9);
      if (rules.globalTradeIds) this.#globalTradeId++;
      trades.push({
        id: rules.globalTradeIds ? this.#globalTradeId : pulse.tradeId,
        count,
        time: this.#time(pulse),
        price: buy ? pulse.mid + 1 : pulse.mid,
        quantity: this.#quantity(instrument),
        buy,
        sequence: pulse.sequence,
        aggregate: pulse.aggregate,
      });
    }
    this.#listener.trades(instrument, trades);
  }

  /** One quote of an instrument, now. */
  quote(instrument: Instrument): void {
    const random = this.#random;
    const pulse = this.#pulses[instrument.rank]!;
    this.#walk(instrument, pulse);
    pulse.sequence += 1 + random.below(9);
    pulse.quoteId++;
    const empty = this.#rules.emptySides && random.oneIn(512) ? 1 + random.below(2) : 0;
    this.#listener.quote(instrument, {
      id: this.#rules.quoteIdIsSequence ? pulse.sequence : pulse.quoteId,
      time: this.#time(pulse),
      bidPrice: empty === 1 ? 0 : pulse.mid,
      bidQuantity: empty === 1 ? 0 : this.#quantity(instrument),
      askPrice: empty === 2 ? 0 : pulse.mid + 1 + random.below(3),
      askQuantity: empty === 2 ? 0 : this.#quantity(instrument),
      sequence: pulse.sequence,
    });
  }

  #walk(instrument: Instrument, pulse: Pulse): void {
    const start = instrument.startTicks;
    const next = pulse.mid + this.#random.below(5) - 2;
    if (next > start >> 1 && next < start * 2) pulse.mid = next;
  }

  #quantity(instrument: Instrument): number {
    // Small sizes are common: the span is cut to a random number of digits.
    const span = instrument.quantitySpan;
    let cut = 10;
    for (let digits = this.#random.below(6); digits > 0 && cut < span; digits--) cut *= 10;
    return instrument.quantityFrom + this.#random.below(Math.max(1, Math.min(span, cut)));
  }

  #time(pulse: Pulse): number {
    const now = nowMicros();
    pulse.lastTime = this.#rules.uniqueTimes && now <= pulse.lastTime ? pulse.lastTime + 1 : now;
    return pulse.lastTime;
  }
}
