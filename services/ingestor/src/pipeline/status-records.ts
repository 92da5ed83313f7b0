import {
  avroType,
  type ExchangeName,
  frameValue,
  type Status,
  statusKey,
  type TickChannel,
} from '@tickline/schemas';
import { EncodedTick, type SinkStream, type StreamDescriptor } from '../sinks/sink.ts';

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

/** Writes records of `md.status`. They are few, so avsc encodes them. */
export class StatusRecords {
  private readonly type = avroType('status');
  private readonly streams = new Map<string, SinkStream>();
  private readonly tick = new EncodedTick();
  private readonly schemaId: number;
  private readonly producer: string;
  private readonly open: (descriptor: StreamDescriptor) => SinkStream;
  /** Records that found even the reserve full. */
  refused = 0;

  constructor(schemaId: number, producer: string, open: (descriptor: StreamDescriptor) => SinkStream) {
    this.schemaId = schemaId;
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
    const value = frameValue(this.schemaId, this.type.toBuffer(record));
    const tick = this.tick;
    tick.bytes = value;
    tick.start = 0;
    tick.end = value.length;
    tick.timestampMs = Math.floor(event.time / 1000);
    if (!this.streamOf(subject).append(tick)) this.refused++;
  }

  private streamOf(subject: StatusSubject): SinkStream {
    const key = statusKey(subject.exchange, subject.symbol, subject.channel);
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = this.open({
        topic: 'status',
        exchange: subject.exchange,
        symbol: subject.symbol,
        channel: subject.channel,
        key,
        overflow: 'keep',
      });
      this.streams.set(key, stream);
    }
    return stream;
  }
}
