import { TICK_CHANNELS } from '@tickline/schemas';
import { EncodedTick, type SinkListener, type SinkLoss, type SinkStream } from '../../sink.ts';
import { SILENT_LOG } from '../../sink-log.ts';
import { settle, VirtualClock } from '../../testing/virtual-clock.ts';
import { KafkaSink } from '../kafka-sink.ts';
import type { KafkaSinkOptions } from '../options.ts';
import type { ReadRecord } from './read-batch.ts';
import { SimulatedKafka } from './simulated-kafka.ts';

/** A range that the sink told about a stream. */
export interface Told extends SinkLoss {
  readonly key: string;
}

/** What a value of a test's tick says, with how many earlier ones it stands for. */
export interface ReadTick {
  readonly key: string;
  readonly sequence: number;
  readonly conflated: number;
}

/** A Kafka sink over a simulated cluster and clock, and a ledger of what it was given and what it told. */
export class SinkHarness {
  readonly clock = new VirtualClock();
  readonly kafka: SimulatedKafka;
  readonly sink: KafkaSink;
  readonly lost: Told[] = [];
  readonly repeated: Told[] = [];
  readonly calls: string[] = [];
  /** Lines of the log: `event: message`. */
  readonly lines: string[] = [];
  /** Key → highest sequence given out. */
  readonly given = new Map<string, number>();
  /** Key → sequences that `append` refused. */
  readonly refused = new Map<string, number[]>();
  private readonly tick = new EncodedTick();
  private readonly streams = new Map<string, SinkStream>();

  constructor(options: Partial<KafkaSinkOptions> = {}, partitions = 3) {
    this.kafka = new SimulatedKafka(this.clock, partitions);
    const line = (event: string, message: string) => {
      this.lines.push(`${event}: ${message}`);
    };
    this.sink = new KafkaSink(
      {
        brokers: ['broker-1:9092'],
        clientId: 'test',
        access: () => ({ ssl: null, sasl: null }),
        topicPrefix: 'md.',
        log: { ...SILENT_LOG, error: line, warn: line, info: line },
        clock: this.clock,
        random: () => 0.5,
        ...options,
      },
      this.kafka,
    );
  }

  get listener(): SinkListener {
    return {
      full: () => this.calls.push('full'),
      drained: () => this.calls.push('drained'),
      lost: (stream, loss) => this.lost.push({ key: stream.key, ...loss }),
      repeated: (stream, repeat) => this.repeated.push({ key: stream.key, ...repeat }),
    };
  }

  async start(): Promise<void> {
    const started = this.sink.start(this.listener);
    started.catch(() => undefined);
    await this.clock.advance(10);
    await started;
  }

  /** One more tick of that key; `size` bytes more than it needs. Returns what `append` returned. */
  append(key: string, topic: 'trades' | 'quotes' | 'status' = 'trades', size = 20): boolean {
    let stream = this.streams.get(`${topic}/${key}`);
    if (stream === undefined) {
      const overflow = topic === 'quotes' ? 'conflate' : 'keep';
      const channel = topic === 'quotes' ? topic : TICK_CHANNELS[0];
      stream = this.sink.stream({ topic, exchange: 'x', symbol: key, channel, key, overflow });
      this.streams.set(`${topic}/${key}`, stream);
    }
    const sequence = (this.given.get(key) ?? 0) + 1;
    this.given.set(key, sequence);
    const { tick } = this;
    tick.bytes = encode(sequence, size);
    tick.start = 3;
    tick.end = tick.bytes.length;
    tick.conflatedAt = 3 + 8;
    tick.timestampMs = 1_700_000_000_000 + sequence;
    tick.sequence = sequence;
    const taken = stream.append(tick);
    tick.bytes.fill(0xee); // its bytes are valid during the call only
    if (!taken) this.refused.set(key, [...(this.refused.get(key) ?? []), sequence]);
    return taken;
  }

  /** Flushes within so much simulated time. */
  async flush(budgetMs = 600_000): Promise<boolean> {
    let answer: boolean | null = null;
    const flushing = this.sink.flush(budgetMs).then((all) => {
      answer = all;
    });
    for (let left = budgetMs + 1; left > 0 && answer === null; left -= 100)
      await this.clock.advance(Math.min(100, left));
    await flushing;
    return answer!;
  }

  async close(): Promise<void> {
    const closing = this.sink.close();
    await this.clock.advance(10);
    await settle();
    await closing;
  }

  /** Ticks of a key in a topic, in the order of the log. */
  written(key: string, topic = 'md.trades'): ReadTick[] {
    return this.kafka
      .recordsOf(topic)
      .filter((record) => record.key === key)
      .map(readTick);
  }
}

/** Three bytes before the tick, its sequence, `conflated` as one zero byte, filling. */
function encode(sequence: number, size: number): Buffer {
  const bytes = Buffer.alloc(3 + 8 + 1 + size, 0x55);
  bytes.writeDoubleBE(sequence, 3);
  bytes[11] = 0;
  return bytes;
}

function readTick({ key, value }: ReadRecord): ReadTick {
  let conflated = 0;
  let scale = 1;
  for (let at = 8; ; at++) {
    conflated += (value[at]! & 0x7f) * scale;
    if (value[at]! < 0x80) break;
    scale *= 128;
  }
  return { key, sequence: value.readDoubleBE(0), conflated: conflated / 2 };
}
