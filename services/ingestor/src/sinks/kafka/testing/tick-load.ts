import { EncodedTick, type SinkStream } from '../../sink.ts';
import type { KafkaSink } from '../kafka-sink.ts';

const TICK_BYTES = 170;

/** Ticks at a steady rate into a sink: each says its sequence, which counts by one for each symbol. */
export class TickLoad {
  /** Symbol → highest sequence given out. */
  readonly given = new Map<string, number>();
  refused = 0;
  private readonly streams: { symbol: string; stream: SinkStream }[];
  private readonly tick = new EncodedTick();
  private next = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(sink: KafkaSink, symbols: number, topic = 'trades') {
    this.streams = Array.from({ length: symbols }, (_, n) => {
      const symbol = `S${n}-USDT`;
      const overflow = topic === 'quotes' ? ('conflate' as const) : ('keep' as const);
      return {
        symbol,
        stream: sink.stream({ topic, exchange: 'x', symbol, channel: topic, key: symbol, overflow }),
      };
    });
  }

  get total(): number {
    return [...this.given.values()].reduce((sum, count) => sum + count, 0);
  }

  /** So many ticks a second until `stop`. */
  start(perSecond: number): void {
    const began = performance.now();
    let done = 0;
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
      this.give(due - done);
      done = due;
    }, 5);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** So many ticks now, symbol after symbol. */
  give(count: number, bytes = TICK_BYTES): void {
    const { tick } = this;
    tick.bytes = Buffer.alloc(bytes, 0x55);
    tick.end = bytes;
    tick.conflatedAt = 8;
    tick.bytes[8] = 0;
    tick.timestampMs = Date.now();
    for (let n = 0; n < count; n++) {
      const { symbol, stream } = this.streams[this.next++ % this.streams.length]!;
      const sequence = (this.given.get(symbol) ?? 0) + 1;
      this.given.set(symbol, sequence);
      tick.sequence = sequence;
      (tick.bytes as Buffer).writeDoubleBE(sequence, 0);
      if (!stream.append(tick)) this.refused++;
    }
  }
}
