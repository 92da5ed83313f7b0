import type { SinkStatus } from '@tickline/schemas';
import type {
  DeadLetter,
  EncodedTick,
  Sink,
  SinkListener,
  SinkReading,
  SinkStream,
  StreamDescriptor,
  TickFormat,
} from './sink.ts';

/** A stream, and whose it is. */
export interface NamedStream {
  readonly sink: string;
  readonly stream: SinkStream;
}

/** Hands every tick to all sinks that take its format. A sink's full queue is no other sink's concern. */
export class FanOut {
  /** What ticks must be encoded as: each format once, however many sinks want it. */
  readonly formats: ReadonlySet<TickFormat>;
  private readonly sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    this.sinks = sinks;
    this.formats = new Set(sinks.map(({ format }) => format));
  }

  /** Starts all sinks; rejects with the first refusal, the others closed. */
  async start(listenerOf: (sink: string) => SinkListener): Promise<void> {
    try {
      await Promise.all(this.sinks.map((sink) => sink.start(listenerOf(sink.name))));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** The way of one stream's ticks in that format. With one sink it is that sink's own: nothing is added. */
  stream(descriptor: StreamDescriptor, format: TickFormat = 'avro'): SinkStream {
    const streams = this.streams(descriptor, format).map(({ stream }) => stream);
    return streams.length === 1 ? streams[0]! : new FannedStream(streams);
  }

  /** The same, each sink's by itself. */
  streams(descriptor: StreamDescriptor, format: TickFormat): readonly NamedStream[] {
    return this.sinks
      .filter((sink) => sink.format === format)
      .map((sink) => ({ sink: sink.name, stream: sink.stream(descriptor) }));
  }

  /** The sink that may have no room for a tick, if there is one. */
  get refusingSink(): string | null {
    return this.sinks.find(({ mayRefuse }) => mayRefuse)?.name ?? null;
  }

  deadLetter(letter: DeadLetter): void {
    for (const sink of this.sinks) sink.deadLetter(letter);
  }

  /** True when all sinks have everything acknowledged within the budget. */
  async flush(budgetMs: number): Promise<boolean> {
    const flushed = await Promise.all(this.sinks.map((sink) => sink.flush(budgetMs)));
    return flushed.every((all) => all);
  }

  async close(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.close()));
  }

  status(): SinkStatus[] {
    return this.sinks.map((sink) => sink.status());
  }

  /** Of the sinks that count. */
  readings(): SinkReading[] {
    return this.sinks.flatMap((sink) => sink.reading?.() ?? []);
  }
}

/** A stream of several sinks. */
class FannedStream implements SinkStream {
  private readonly streams: readonly SinkStream[];

  constructor(streams: readonly SinkStream[]) {
    this.streams = streams;
  }

  /** False when a sink could not take the tick; the others have it all the same. */
  append(tick: EncodedTick): boolean {
    let taken = true;
    for (const stream of this.streams) if (!stream.append(tick)) taken = false;
    return taken;
  }
}
