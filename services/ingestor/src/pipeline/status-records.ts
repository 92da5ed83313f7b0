import {
  avroType,
  type ExchangeName,
  encodeStatusProto,
  frameValue,
  type Status,
  statusKey,
  type TickChannel,
} from '@tickline/schemas';
import { EncodedTick, type SinkStream, type StreamDescriptor, type TickFormat } from '../sinks/sink.ts';

/** States that we write to `md.status`; readers must accept further ones. */
export type StatusState = 'acknowledged' | 'live' | 'stale' | 'rejected' | 'reconnected' | 'gap' | 'repeated';

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

/** A status record as bytes, in one format. */
type StatusEncoder = (status: Status) => Uint8Array;

/** Writes records of `md.status` to all sinks. They are few, so libraries encode them. */
export class StatusRecords {
  private readonly encoders: ReadonlyMap<TickFormat, StatusEncoder>;
  private readonly streams = new Map<string, SinkStream>();
  private readonly tick = new EncodedTick();
  private readonly producer: string;
  private readonly open: (descriptor: StreamDescriptor, format: TickFormat) => SinkStream;
  /** Records that found even the reserve full. */
  refused = 0;

  /** `schemaId`: of the registered schema; needed for Avro only. */
  constructor(
    formats: ReadonlySet<TickFormat>,
    schemaId: number | null,
    producer: string,
    open: (descriptor: StreamDescriptor, format: TickFormat) => SinkStream,
  ) {
    this.encoders = new Map([...formats].map((format) => [format, encoderOf(format, schemaId)]));
    this.producer = producer;
    this.open = open;
  }

  write(subject: StatusSubject, event: StatusEvent): void {
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
    const tick = this.tick;
    tick.timestampMs = Math.floor(event.time / 1000);
    for (const [format, encode] of this.encoders) {
      tick.bytes = encode(record);
      tick.start = 0;
      tick.end = tick.bytes.length;
      if (!this.streamOf(subject, format).append(tick)) this.refused++;
    }
  }

  private streamOf(subject: StatusSubject, format: TickFormat): SinkStream {
    const key = statusKey(subject.exchange, subject.symbol, subject.channel);
    const place = `${format} ${key}`;
    let stream = this.streams.get(place);
    if (stream === undefined) {
      stream = this.open(
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
      this.streams.set(place, stream);
    }
    return stream;
  }
}

function encoderOf(format: TickFormat, schemaId: number | null): StatusEncoder {
  switch (format) {
    case 'avro': {
      if (schemaId === null) throw new Error('Avro records need the id of their schema');
      const type = avroType('status');
      return (status) => frameValue(schemaId, type.toBuffer(status));
    }
    case 'json':
      return (status) => Buffer.from(JSON.stringify(status));
    case 'protobuf':
      return encodeStatusProto;
  }
}
