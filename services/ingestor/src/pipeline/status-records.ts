import {
  avroType,
  type ExchangeName,
  encodeStatusProto,
  frameValue,
  type Status,
  statusKey,
  type TickChannel,
} from '@tickline/schemas';
import type { NamedStream } from '../sinks/fan-out.ts';
import { EncodedTick, type SinkStream, type StreamDescriptor, type TickFormat } from '../sinks/sink.ts';
import type { SchemaIdOf } from './tick-encoder.ts';

/** States that we write to `md.status`; readers must accept further ones. */
export type StatusState =
  | 'acknowledged'
  | 'live'
  | 'stale'
  | 'rejected'
  | 'reconnected'
  | 'shedding'
  | 'gap'
  | 'repeated';

/** Whom a status is about. */
export interface StatusSubject {
  exchange: ExchangeName;
  symbol: string;
  exchangeSymbol: string;
  channel: TickChannel;
}

/** What happened; what is not said is null in the record. Times are microseconds. */
export interface StatusEvent {
  time: number;
  state: StatusState;
  reason: string;
  session?: string;
  firstId?: string;
  lastId?: string;
  firstTime?: number;
  lastTime?: number;
  count?: number;
}

/** States that tell of ticks: such a record must not be lost itself. */
const TELLS_OF_TICKS: ReadonlySet<StatusState> = new Set(['gap', 'repeated']);
/** Most of these that wait for room in one sink's queue, about 300 bytes each. */
const MAX_WAITING = 10_000;

/** A record that found no room. */
interface WaitingRecord {
  readonly stream: SinkStream;
  readonly bytes: Uint8Array;
  readonly timestampMs: number;
}

/** A status record as bytes, in one format. */
type StatusEncoder = (status: Status) => Uint8Array;

/**
 * Writes records of `md.status` to all sinks. They are few, so libraries encode them. Those that tell of ticks and
 * find even the reserve of a sink's queue full wait here, in order, until `retry` finds room; they hold up no other
 * sink's.
 */
export class StatusRecords {
  private readonly encoders: ReadonlyMap<TickFormat, StatusEncoder>;
  /** The sinks' streams, by format and key. */
  private readonly streams = new Map<string, readonly NamedStream[]>();
  private readonly tick = new EncodedTick();
  private readonly producer: string;
  private readonly open: (descriptor: StreamDescriptor, format: TickFormat) => readonly NamedStream[];
  /** Records that found even the reserve full and were given up. */
  refused = 0;
  /** What waits for room, by the sink that has none. */
  private readonly waitingFor = new Map<string, WaitingRecord[]>();

  constructor(
    formats: ReadonlySet<TickFormat>,
    schemaIdOf: SchemaIdOf,
    producer: string,
    open: (descriptor: StreamDescriptor, format: TickFormat) => readonly NamedStream[],
  ) {
    this.encoders = new Map([...formats].map((format) => [format, encoderOf(format, schemaIdOf)]));
    this.producer = producer;
    this.open = open;
  }

  /** Records that wait for room. */
  get waiting(): number {
    let count = 0;
    for (const records of this.waitingFor.values()) count += records.length;
    return count;
  }

  /** Appends what waits, oldest first, as far as there is room; returns how many records that were. */
  retry(): number {
    let appended = 0;
    for (const [sink, records] of this.waitingFor) {
      const full = records.findIndex(
        ({ stream, bytes, timestampMs }) => !this.append(stream, bytes, timestampMs),
      );
      appended += records.splice(0, full === -1 ? records.length : full).length;
      if (records.length === 0) this.waitingFor.delete(sink);
    }
    return appended;
  }

  /** `only`: the sink that the event is about, when it is about one; its ticks are whole elsewhere. */
  write(subject: StatusSubject, event: StatusEvent, only: string | null = null): void {
    if (this.waiting > 0) this.retry();
    const record: Status = {
      exchange: subject.exchange,
      symbol: subject.symbol,
      exchangeSymbol: subject.exchangeSymbol,
      channel: subject.channel,
      producer: this.producer,
      session: event.session ?? null,
      time: event.time,
      state: event.state,
      reason: event.reason,
      firstId: event.firstId ?? null,
      lastId: event.lastId ?? null,
      firstTime: event.firstTime ?? null,
      lastTime: event.lastTime ?? null,
      count: event.count ?? null,
    };
    const timestampMs = Math.floor(event.time / 1000);
    const mustWait = TELLS_OF_TICKS.has(event.state);
    for (const [format, encode] of this.encoders) {
      const bytes = encode(record);
      for (const { sink, stream } of this.streamsOf(subject, format)) {
        if (only !== null && sink !== only) continue;
        const waiting = this.waitingFor.get(sink);
        // Behind those that wait: a reader sees the gaps of a symbol in order.
        const inTurn = !mustWait || waiting === undefined;
        if (inTurn && this.append(stream, bytes, timestampMs)) continue;
        if (!mustWait || (waiting?.length ?? 0) >= MAX_WAITING) this.refused++;
        else if (waiting === undefined) this.waitingFor.set(sink, [{ stream, bytes, timestampMs }]);
        else waiting.push({ stream, bytes, timestampMs });
      }
    }
  }

  private append(stream: SinkStream, bytes: Uint8Array, timestampMs: number): boolean {
    const tick = this.tick;
    tick.bytes = bytes;
    tick.start = 0;
    tick.end = bytes.length;
    tick.timestampMs = timestampMs;
    return stream.append(tick);
  }

  private streamsOf(subject: StatusSubject, format: TickFormat): readonly NamedStream[] {
    const key = statusKey(subject.exchange, subject.symbol, subject.channel);
    const place = `${format} ${key}`;
    let streams = this.streams.get(place);
    if (streams === undefined) {
      streams = this.open(
        {
          topic: 'status',
          exchange: subject.exchange,
          symbol: subject.symbol,
          channel: subject.channel,
          key,
          overflow: 'keep',
        },
        format,
      );
      this.streams.set(place, streams);
    }
    return streams;
  }
}

function encoderOf(format: TickFormat, schemaIdOf: SchemaIdOf): StatusEncoder {
  switch (format) {
    case 'avro': {
      const type = avroType('status');
      return (status) => frameValue(schemaIdOf('status'), type.toBuffer(status));
    }
    case 'json':
      return (status) => Buffer.from(JSON.stringify(status));
    case 'protobuf':
      return encodeStatusProto;
  }
}
