import { EncodedTick, type Sink, type SinkStream } from '../../sink.ts';

/** JSON ticks into a sink: each says its sequence, which counts by one for each symbol. */
export class TickFeed {
  readonly exchange: string;
  /** Symbol → highest sequence given out. */
  readonly given = new Map<string, number>();
  private readonly topic: string;
  private readonly streams: { readonly symbol: string; readonly stream: SinkStream }[];
  private readonly tick = new EncodedTick();
  private readonly padding: string;
  private next = 0;

  constructor(sink: Sink, { symbols = 1, topic = 'trades', exchange = 'okx', bytes = 240 } = {}) {
    this.topic = topic;
    this.exchange = exchange;
    this.padding = 'x'.repeat(Math.max(0, bytes - 80));
    this.streams = Array.from({ length: symbols }, (_, index) => {
      const symbol = `S${index}-USDT`;
      const overflow = topic === 'quotes' ? ('conflate' as const) : ('keep' as const);
      return {
        symbol,
        stream: sink.stream({ topic, exchange, symbol, channel: topic, key: symbol, overflow }),
      };
    });
  }

  get total(): number {
    return [...this.given.values()].reduce((sum, count) => sum + count, 0);
  }

  /** So many ticks, symbol after symbol. Returns how many of them the sink said it took. */
  give(count: number): number {
    let taken = 0;
    for (let index = 0; index < count; index++) {
      const { symbol, stream } = this.streams[this.next++ % this.streams.length]!;
      const sequence = (this.given.get(symbol) ?? 0) + 1;
      this.given.set(symbol, sequence);
      if (stream.append(this.encode(symbol, sequence))) taken++;
    }
    return taken;
  }

  /** Waits for the loop's turn after each thousand, as between socket chunks. */
  async giveInTurns(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1000) {
      this.give(Math.min(1000, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private encode(symbol: string, sequence: number): EncodedTick {
    const { tick } = this;
    const head = `{"symbol":"${symbol}","topic":"${this.topic}","sequence":${sequence},"conflated":`;
    // Not at the beginning of its buffer, as nobody promised that.
    const bytes = Buffer.from(`???${head}0,"padding":"${this.padding}"}!!`);
    tick.bytes = bytes;
    tick.start = 3;
    tick.end = bytes.length - 2;
    tick.conflatedAt = 3 + head.length;
    tick.sequence = sequence;
    return tick;
  }
}

/** What a tick of the feed says. */
export interface FedTick {
  readonly symbol: string;
  readonly sequence: number;
  readonly conflated: number;
}
