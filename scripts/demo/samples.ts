import {
  type ExchangeName,
  type Quote,
  RecordReader,
  type SchemaSource,
  type TickChannel,
  type Trade,
} from '@tickline/schemas';
import type { TickValue } from './subscriber.ts';
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
  quote: TickValue | null;
  trade: TickValue | null;
  readTime: number;
}

/** Keeps the last tick of a few symbols, and decodes Kafka's in full only when it is shown. */
export class Samples {
  private readonly samples = new Map<string, Sample>();
  private readonly quotes: RecordReader<'quotes'>;
  private readonly trades: RecordReader<'trades'>;

  /** @param schemas for Kafka's values */
  constructor(schemas: SchemaSource) {
    this.quotes = new RecordReader('quotes', schemas);
    this.trades = new RecordReader('trades', schemas);
    for (const [exchange, symbols] of Object.entries(LIVE_SYMBOLS)) {
      for (const symbol of symbols.slice(0, SHOWN)) {
        this.samples.set(`${exchange} ${symbol}`, {
          exchange: exchange as ExchangeName,
          symbol,
          quote: null,
          trade: null,
          readTime: 0,
        });
      }
    }
  }

  /** Keeps the value, or a copy of its bytes, when its symbol is watched. `readTime`: microseconds since 1970. */
  offer(channel: TickChannel, stamp: TickStamp, readTime: number, value: TickValue): void {
    const sample = this.samples.get(`${stamp.exchange} ${stamp.symbol}`);
    if (sample === undefined) return;
    sample.readTime = readTime;
    const kept = Buffer.isBuffer(value) ? Buffer.from(value) : value;
    if (channel === 'trades') sample.trade = kept;
    else sample.quote = kept;
  }

  /** The samples as they are shown; symbols without any record are left out. */
  async views(nowMicros: number): Promise<SampleView[]> {
    const seen = [...this.samples.values()].filter(({ quote, trade }) => quote !== null || trade !== null);
    return Promise.all(
      seen.map(
        async ({ exchange, symbol, quote, trade, readTime }): Promise<SampleView> => ({
          exchange,
          symbol,
          quote: Buffer.isBuffer(quote) ? await this.quotes.read(quote) : (quote as Quote | null),
          trade: Buffer.isBuffer(trade) ? await this.trades.read(trade) : (trade as Trade | null),
          ageMs: (nowMicros - readTime) / 1000,
        }),
      ),
    );
  }
}
