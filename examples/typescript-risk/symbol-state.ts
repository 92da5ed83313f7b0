import type { Quote, Status, Trade } from '@tickline/schemas';
import { product, sum } from './exact.ts';
import { RecentIds } from './recent-ids.ts';

/** States of md.status in which the data can't be relied on, and those that say that it flows again. */
const UNRELIABLE = ['stale', 'rejected', 'shedding'];
const RELIABLE = ['live', 'acknowledged'];

/**
 * What a risk consumer keeps for one symbol of one exchange: the last quote, the last trade, and how fresh they are.
 * Prices and quantities are text, exact to the last digit.
 */
export class SymbolState {
  private quote: Quote | undefined;
  private trade: Trade | undefined;
  private trades = 0;
  private duplicates = 0;
  private volume = '0';
  private gaps = 0;
  /** Channel → why it can't be relied on. */
  private readonly troubles = new Map<string, string>();
  private readonly seen = new RecentIds();

  takeQuote(quote: Quote): void {
    this.quote = quote;
  }

  /** `counts` is false for what a former run has counted: it only fills the window again. */
  takeTrade(trade: Trade, counts: boolean): void {
    if (!this.seen.isNew(trade.tradeId)) {
      if (counts) this.duplicates++;
      return;
    }
    this.trade = trade;
    if (counts) {
      this.trades++;
      this.volume = sum(this.volume, trade.quantity);
    }
  }

  takeStatus(status: Status, counts: boolean): void {
    if (status.state === 'gap') {
      if (counts) this.gaps++;
    } else if (UNRELIABLE.includes(status.state)) {
      this.troubles.set(status.channel, `${status.state}: ${status.reason}`);
    } else if (RELIABLE.includes(status.state)) {
      this.troubles.delete(status.channel);
    }
  }

  /** The row of a report. `now` is epoch milliseconds. */
  row(exchange: string, symbol: string, position: string, now: number, staleAfterMs: number) {
    const { quote, trade } = this;
    return {
      exchange,
      symbol,
      bid: quote?.bidPrice ?? null,
      ask: quote?.askPrice ?? null,
      price: trade?.price ?? null,
      tradeId: trade?.tradeId ?? null,
      trades: this.trades,
      duplicates: this.duplicates,
      volume: this.volume,
      gaps: this.gaps,
      position,
      value: this.value(position),
      trouble: this.trouble(now, staleAfterMs),
    };
  }

  /** What the position is worth if it were closed at the quote: a long sells at the bid, a short buys at the ask. */
  private value(position: string): string | null {
    const side = position.startsWith('-') ? this.quote?.askPrice : this.quote?.bidPrice;
    return side == null ? null : product(position, side);
  }

  /** Why the quote can't be relied on, in a phrase; null when it can. */
  private trouble(now: number, staleAfterMs: number): string | null {
    if (this.quote === undefined) return 'no quote yet';
    const told = this.troubles.get('quotes');
    if (told !== undefined) return told;
    const age = now - this.quote.receiveTime / 1000;
    return age > staleAfterMs ? `quote is ${Math.round(age / 1000)} s old` : null;
  }
}
