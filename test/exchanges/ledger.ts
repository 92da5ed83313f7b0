import { type Instrument, instrumentDigits, type NumberStyle } from './catalogue.ts';
import type { Quote, Trade } from './market.ts';

/** The four simulated exchanges, by the names that configuration, labels and records use. */
export type ExchangeName = 'binance' | 'bybit-spot' | 'okx' | 'kraken';

/** What both kinds of ledger entries say. */
interface EntryOrigin {
  /** Position in the ledger, from 0. */
  readonly index: number;
  readonly exchange: ExchangeName;
  /** The exchange's native name, as in the payload. */
  readonly exchangeSymbol: string;
  /** Microseconds since 1970 just before the frame was handed to the socket. */
  readonly writeTime: number;
  /** Which connection it was written to; empty in the ledger of what nobody was sent. */
  readonly connection: string;
  /** Whether the acknowledgement of its subscription had been written before. */
  readonly acknowledged: boolean;
  /** True for a repeated trade of Kraken's snapshot on subscribing. */
  readonly snapshot: boolean;
}

/** A trade as it was written: every decimal is the exact text of the frame. */
export interface TradeEntry extends EntryOrigin {
  readonly channel: 'trades';
  /** Trade id as text (the last one of the group on OKX; the aggregate's on Binance `aggTrade`). */
  readonly id: string;
  /** How many fills the message covers: ids `id - count + 1 … id`; 1 but for OKX. */
  readonly count: number;
  /** Exchange time in microseconds, to the precision that the frame carries. */
  readonly exchangeTime: number;
  readonly price: string;
  readonly quantity: string;
  readonly side: 'buy' | 'sell';
}

/** A best bid and offer as it was written; a side that was empty is null. */
export interface QuoteEntry extends EntryOrigin {
  readonly channel: 'quotes';
  /** Update id as text; null on Kraken, which has none. */
  readonly id: string | null;
  /** Exchange time in microseconds; null on Binance spot, which gives none. */
  readonly exchangeTime: number | null;
  readonly bidPrice: string | null;
  readonly bidQuantity: string | null;
  readonly askPrice: string | null;
  readonly askQuantity: string | null;
}

/** One line of the ledger. */
export type LedgerEntry = TradeEntry | QuoteEntry;

/** How an exchange's numbers become the texts on its wire. */
export interface LedgerStyle {
  readonly exchange: ExchangeName;
  readonly numbers: NumberStyle;
  readonly tradeId: (id: number) => string;
  /** Null: quotes carry no id. */
  readonly quoteId: ((id: number) => string) | null;
  readonly quoteTime: boolean;
}

const rowsPerBlock = 16_384;
const columns = 7;

const isQuote = 1;
const isBuy = 2;
const isAcknowledged = 4;
const isSnapshot = 8;

/** A stretch of rows in typed columns: about 74 bytes a row, whatever the texts. */
interface Block {
  readonly numbers: Float64Array;
  readonly instruments: Uint32Array;
  readonly connections: Uint32Array;
  readonly counts: Uint16Array;
  readonly flags: Uint8Array;
}

/**
 * What a simulated exchange wrote, to whom and when. Kept as integers in columns; the texts are made again on
 * reading, by the same functions that made the frames' texts. It grows until it is told what to forget.
 */
export class Ledger {
  readonly #style: LedgerStyle;
  readonly #instruments: readonly Instrument[];
  readonly #connectionName: (number: number) => string;
  /** Without those that were forgotten. */
  readonly #blocks: Block[] = [];
  #forgottenBlocks = 0;
  #forgotten = 0;
  #size = 0;

  /**
   * @param style how the exchange prints its numbers
   * @param instruments by rank
   * @param connectionName name of the connection with a number; number 0 is "nobody"
   */
  constructor(
    style: LedgerStyle,
    instruments: readonly Instrument[],
    connectionName: (number: number) => string,
  ) {
    this.#style = style;
    this.#instruments = instruments;
    this.#connectionName = connectionName;
  }

  /** Entries so far, forgotten ones included: the position of the next one. */
  get size(): number {
    return this.#size;
  }

  /** How many entries were forgotten: the position of the first that is still there. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Entries that take up memory: those that are there, and the rest of the first one's block. */
  get kept(): number {
    return this.#size - this.#forgottenBlocks * rowsPerBlock;
  }

  /**
   * Forgets the entries before a position; memory is given back block by block. Positions stay as they are.
   * Throws a RangeError for a position that is not in the ledger.
   */
  forgetBefore(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index > this.#size) {
      throw new RangeError(`the ledger has ${this.#size} entries: it can't forget those before ${index}`);
    }
    if (index <= this.#forgotten) return;
    this.#forgotten = index;
    const whole = Math.floor(index / rowsPerBlock);
    this.#blocks.splice(0, whole - this.#forgottenBlocks);
    this.#forgottenBlocks = whole;
  }

  #row(): [block: Block, row: number] {
    const row = this.#size % rowsPerBlock;
    if (row === 0) {
      this.#blocks.push({
        numbers: new Float64Array(rowsPerBlock * columns),
        instruments: new Uint32Array(rowsPerBlock),
        connections: new Uint32Array(rowsPerBlock),
        counts: new Uint16Array(rowsPerBlock),
        flags: new Uint8Array(rowsPerBlock),
      });
    }
    this.#size++;
    return [this.#blocks[this.#blocks.length - 1]!, row];
  }

  /** Enters a trade. */
  trade(
    instrument: Instrument,
    trade: Trade,
    id: number,
    exchangeTime: number,
    writeTime: number,
    connection: number,
    acknowledged: boolean,
    snapshot: boolean,
  ): void {
    const [block, row] = this.#row();
    const at = row * columns;
    block.numbers[at] = id;
    block.numbers[at + 1] = exchangeTime;
    block.numbers[at + 2] = writeTime;
    block.numbers[at + 3] = trade.price;
    block.numbers[at + 4] = trade.quantity;
    block.instruments[row] = instrument.rank;
    block.connections[row] = connection;
    block.counts[row] = trade.count;
    block.flags[row] =
      (trade.buy ? isBuy : 0) | (acknowledged ? isAcknowledged : 0) | (snapshot ? isSnapshot : 0);
  }

  /** Enters a quote. */
  quote(
    instrument: Instrument,
    quote: Quote,
    exchangeTime: number,
    writeTime: number,
    connection: number,
    acknowledged: boolean,
  ): void {
    const [block, row] = this.#row();
    const at = row * columns;
    block.numbers[at] = quote.id;
    block.numbers[at + 1] = exchangeTime;
    block.numbers[at + 2] = writeTime;
    block.numbers[at + 3] = quote.bidPrice;
    block.numbers[at + 4] = quote.bidQuantity;
    block.numbers[at + 5] = quote.askPrice;
    block.numbers[at + 6] = quote.askQuantity;
    block.instruments[row] = instrument.rank;
    block.connections[row] = connection;
    block.flags[row] = isQuote | (acknowledged ? isAcknowledged : 0);
  }

  /** The entry at a position, `forgotten <= index < size`. */
  at(index: number): LedgerEntry {
    if (index < this.#forgotten) {
      throw new RangeError(`the ledger has forgotten entry ${index}: it begins at ${this.#forgotten}`);
    }
    const block = this.#blocks[Math.floor(index / rowsPerBlock) - this.#forgottenBlocks];
    if (block === undefined || index >= this.#size) throw new RangeError(`ledger has no entry ${index}`);
    const row = index % rowsPerBlock;
    const { exchange, numbers, tradeId, quoteId, quoteTime } = this.#style;
    const instrument = this.#instruments[block.instruments[row]!]!;
    const flags = block.flags[row]!;
    const value = (column: number): number => block.numbers[row * columns + column]!;
    const origin = {
      index,
      exchange,
      exchangeSymbol: instrument.native,
      writeTime: value(2),
      connection: this.#connectionName(block.connections[row]!),
      acknowledged: (flags & isAcknowledged) !== 0,
      snapshot: (flags & isSnapshot) !== 0,
    };
    if ((flags & isQuote) === 0) {
      return {
        ...origin,
        channel: 'trades',
        id: tradeId(value(0)),
        count: block.counts[row]!,
        exchangeTime: value(1),
        price: numbers.price(instrument, value(3)),
        quantity: numbers.quantity(instrument, value(4)),
        side: (flags & isBuy) !== 0 ? 'buy' : 'sell',
      };
    }
    // A price of zero marks an empty side: the market never makes one.
    const bid = value(3) > 0;
    const ask = value(5) > 0;
    return {
      ...origin,
      channel: 'quotes',
      id: quoteId === null ? null : quoteId(value(0)),
      exchangeTime: quoteTime ? value(1) : null,
      bidPrice: bid ? numbers.price(instrument, value(3)) : null,
      bidQuantity: bid ? numbers.quantity(instrument, value(4)) : null,
      askPrice: ask ? numbers.price(instrument, value(5)) : null,
      askQuantity: ask ? numbers.quantity(instrument, value(6)) : null,
    };
  }

  /** The entries from position `since` (default: the first that is there), in the order of writing; those entered meanwhile too. */
  *entries(since: number = this.#forgotten): IterableIterator<LedgerEntry> {
    for (let index = since; index < this.#size; index++) yield this.at(index);
  }
}

/** The style most exchanges share: decimal ids and times on quotes. */
export function ledgerStyle(exchange: ExchangeName, changes: Partial<LedgerStyle>): LedgerStyle {
  return {
    exchange,
    numbers: instrumentDigits,
    tradeId: String,
    quoteId: String,
    quoteTime: true,
    ...changes,
  };
}
