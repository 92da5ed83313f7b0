import {
  type ExchangeName,
  type Quote,
  RecordReader,
  type SchemaSource,
  type TickChannel,
  type Trade,
} from '@tickline/schemas';
import type { TickStamp } from './tick-identity.ts';
import type { SampleView } from './view.ts';

/** Well-known symbols of the real exchanges. The first two of each are shown; the simulators have them too. */
export const LIVE_SYMBOLS: Readonly<Record<ExchangeName, readonly string[]>> = {
  binance: ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'XRP-USDT', 'DOGE-USDT', 'ADA-USDT'],
  'bybit-spot': ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'XRP-USDT', 'DOGE-USDT', 'ADA-USDT'],
  okx: ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'XRP-USDT', 'DOGE-USDT', 'ADA-USDT'],
  kraken: ['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'DOGE-USD', 'ADA-USD'],
};

const SHOWN = 2;

interface Sample {
  readonly exchange: ExchangeName;
  readonly symbol: string;
  quoteBytes: Buffer | null;
  tradeBytes: Buffer | null;
  readTime: number;
}

/** Keeps the last record of a few symbols, and decodes it in full only when it is shown. */
export class Samples {
  private readonly samples = new Map<string, Sample>();
  private readonly quotes: RecordReader<'quotes'>;
  private readonly trades: RecordReader<'trades'>;

  constructor(schemas: SchemaSource) {
    this.quotes = new RecordReader('quotes', schemas);
    this.trades = new RecordReader('trades', schemas);
    for (const [exchange, symbols] of Object.entries(LIVE_SYMBOLS)) {
      for (const symbol of symbols.slice(0, SHOWN)) {
        this.samples.set(`${exchange} ${symbol}`, {
          exchange: exchange as ExchangeName,
          symbol,
          quoteBytes: null,
          tradeBytes: null,
          readTime: 0,
        });
      }
    }
  }

  /** Takes a copy of the value when its symbol is watched. `readTime`: microseconds since 1970. */
  offer(channel: TickChannel, stamp: TickStamp, readTime: number, value: Buffer): void {
    const sample = this.samples.get(`${stamp.exchange} ${stamp.symbol}`);
    if (sample === undefined) return;
    sample.readTime = readTime;
    if (channel === 'trades') sample.tradeBytes = Buffer.from(value);
    else sample.quoteBytes = Buffer.from(value);
  }

  /** The samples as they are shown; symbols without any record are left out. */
  async views(nowMicros: number): Promise<SampleView[]> {
    const seen = [...this.samples.values()].filter((s) => s.quoteBytes !== null || s.tradeBytes !== null);
    return Promise.all(
      seen.map(async ({ exchange, symbol, quoteBytes, tradeBytes, readTime }): Promise<SampleView> => {
        const quote: Quote | null = quoteBytes === null ? null : await this.quotes.read(quoteBytes);
        const trade: Trade | null = tradeBytes === null ? null : await this.trades.read(tradeBytes);
        return { exchange, symbol, quote, trade, ageMs: (nowMicros - readTime) / 1000 };
      }),
    );
  }
}
