import {
  type ByteRange,
  NO_TIME,
  type QuoteDraft,
  SessionText,
  type SubscriptionState,
  type TickChannel,
  TickEnvelope,
  type TradeDraft,
} from '@tickline/schemas';
import type { Control, Exchange, FrameDecoder, FrameHandler, InvalidReason } from '../exchanges/exchange.ts';
import type { IndexedInstrument } from '../exchanges/instrument.ts';
import type { InstrumentIndex } from '../exchanges/instrument-index.ts';
import type { FeedListener, FeedSession, Session, SubscriptionChange } from '../feed/feed.ts';
import type { OpenGap } from '../integrity/open-gaps.ts';
import { GAP, NOT_NEWER, wholeNumber } from '../integrity/trade-continuity.ts';
import {
  type DeadLetter,
  EncodedTick,
  type SinkLoss,
  type SinkStream,
  type StreamDescriptor,
  type TickFormat,
} from '../sinks/sink.ts';
import { CHANNEL, type ExchangeCounters } from '../telemetry/counters.ts';
import type { StatusRecords, StatusState } from './status-records.ts';
import type { TickEncoder } from './tick-encoder.ts';
import { type Overlap, OverlappingTrades, type TickOutput, TickStream } from './tick-stream.ts';

/** States in which the exchange sends us a subscription's ticks. */
const SUBSCRIBED: ReadonlySet<SubscriptionState | null> = new Set<SubscriptionState>([
  'acknowledged',
  'live',
  'stale',
]);

/** Where the pipeline's output goes. */
export interface PipelineOutputs {
  /** The encoders of the formats that some sink wants. */
  readonly encoders: readonly TickEncoder[];
  open(descriptor: StreamDescriptor, format: TickFormat): SinkStream;
  deadLetter(letter: DeadLetter): void;
  readonly status: StatusRecords;
  /** The one sink that may have no room for a tick: what is shed is whole in the others. */
  readonly refusingSink: string | null;
  /** Random id of this life of the pod. */
  readonly producer: string;
}

/**
 * A tick's way for one exchange, from a received frame to the sinks' queues: decode, arbitrate, check
 * continuity, number, encode once, hand out. All of it is synchronous within the socket's data event.
 */
export class ExchangePipeline implements FeedListener, FrameHandler {
  private readonly exchange: Exchange;
  private readonly decoder: FrameDecoder;
  private readonly counters: ExchangeCounters;
  private readonly outputs: PipelineOutputs;
  /** By instrument slot; a hole is a symbol that we did not ask for on this channel. */
  private readonly trades: (TickStream | undefined)[] = [];
  private readonly quotes: (TickStream | undefined)[] = [];
  private readonly sessionTexts = new WeakMap<FeedSession, SessionText>();
  private overlaps: Overlap[] = [];

  private readonly envelope = new TickEnvelope();
  private readonly tick = new EncodedTick();

  /** The frame that is being decoded. */
  private session: FeedSession | null = null;
  /** That the frame's session takes part in. */
  private overlap: Overlap | null = null;
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;
  private channel: number = CHANNEL.invalid;
  private lettered = false;

  constructor(
    exchange: Exchange,
    instruments: InstrumentIndex,
    counters: ExchangeCounters,
    outputs: PipelineOutputs,
  ) {
    this.exchange = exchange;
    this.decoder = exchange.createDecoder(instruments);
    this.counters = counters;
    this.outputs = outputs;
  }

  /** Takes ticks of this symbol and channel from now on. */
  subscribe(instrument: IndexedInstrument, channel: TickChannel): void {
    const { encoders, producer } = this.outputs;
    this.streamsOf(channel)[instrument.slot] = new TickStream(
      instrument,
      channel,
      this.exchange.tradeIds,
      encoders,
      producer,
      (descriptor, format) => this.outputs.open(descriptor, format),
    );
  }

  // From the feed.

  frame(session: FeedSession, bytes: Uint8Array, start: number, end: number, receiveTime: number): void {
    if (session !== this.session) this.enterSession(session);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.envelope.receiveTime = receiveTime;
    this.tick.timestampMs = Math.floor(receiveTime / 1000);
    this.channel = CHANNEL.invalid;
    this.lettered = false;
    this.decoder.decode(bytes, start, end, this);
    this.counters.messages[this.channel]!++;
  }

  subscription(change: SubscriptionChange): void {
    const { instrument, channel, session, reason } = change;
    const stream = this.streamsOf(channel)[instrument.slot];
    if (stream === undefined) return;
    // What was subscribed is not any more: what comes next is checked against what came last.
    if (SUBSCRIBED.has(change.from) && !SUBSCRIBED.has(change.to)) {
      stream.lostSession = reason === '' ? 'connection lost' : reason;
    }
    const state = statusStateOf(change);
    if (state === null) return;
    this.outputs.status.write(subjectOf(stream), {
      time: nowMicros(),
      state,
      reason,
      ...(session === null ? {} : { session: session.id }),
    });
  }

  handover(phase: 'begin' | 'end', from: Session, to: Session): void {
    if (phase === 'begin') this.overlaps.push({ from, to });
    else {
      const ended = this.overlaps.filter((overlap) => overlap.to.ordinal === to.ordinal);
      this.overlaps = this.overlaps.filter((overlap) => !ended.includes(overlap));
      for (const stream of this.trades) {
        const overlapping = stream?.overlapping;
        if (overlapping && ended.includes(overlapping.overlap)) this.settleOverlap(stream, overlapping);
      }
    }
    // It may begin in the middle of a frame, by what that frame says.
    if (this.session !== null) this.overlap = this.overlapOf(this.session);
  }

  // From the decoder.

  trade(instrument: IndexedInstrument, trade: TradeDraft): void {
    const stream = this.trades[instrument.slot];
    if (stream === undefined) {
      this.invalid('unknown-symbol', `${instrument.exchangeSymbol} was not subscribed for trades`);
      return;
    }
    this.channel = CHANNEL.trades;
    this.session!.data('trades', instrument.slot);
    if (this.overlap !== null && stream.overlapping?.overlap !== this.overlap) {
      stream.overlapping = new OverlappingTrades(this.overlap);
    }
    const { overlapping } = stream;
    if (overlapping !== null) {
      if (!overlapping.recent.admit(trade.tradeId)) {
        this.counters.repeats[CHANNEL.trades]!++;
        return;
      }
      // The session that is left has caught up with the closed one.
      if (overlapping.isOver) stream.overlapping = null;
    }
    const continuity = stream.continuity.next(trade.tradeId, trade.fillCount);
    if (continuity === NOT_NEWER) this.notNewer(stream);
    else {
      if (continuity === GAP) this.idGap(stream);
      else if (stream.lostSession !== '') this.timeGap(stream);
      stream.lostSession = '';
    }

    const envelope = this.envelope;
    envelope.sequence = ++stream.sequence;
    let taken = true;
    for (const output of stream.outputs) {
      const { encoder } = output;
      const end = encoder.trade(encoder.target, 0, output.prefix, envelope, trade);
      if (!this.handOut(output, end)) taken = false;
    }
    this.published(stream, taken, trade.exchangeTime, trade.tradeId);
  }

  quote(instrument: IndexedInstrument, quote: QuoteDraft): void {
    const stream = this.quotes[instrument.slot];
    if (stream === undefined) {
      this.invalid('unknown-symbol', `${instrument.exchangeSymbol} was not subscribed for quotes`);
      return;
    }
    this.channel = CHANNEL.quotes;
    this.session!.data('quotes', instrument.slot);
    const updateId = wholeNumber(quote.updateId);
    // The very state of before a lost session: nothing changed meanwhile.
    if (updateId !== -1 && updateId === stream.lastUpdateId) stream.lostSession = '';
    if (this.superseded(stream, updateId, quote.exchangeTime)) {
      this.counters.repeats[CHANNEL.quotes]!++;
      return;
    }
    stream.lastUpdateId = updateId;
    stream.lastExchangeTime = quote.exchangeTime;
    if (stream.lostSession !== '') {
      this.timeGap(stream);
      stream.lostSession = '';
    }

    const envelope = this.envelope;
    envelope.sequence = ++stream.sequence;
    let taken = true;
    for (const output of stream.outputs) {
      const { encoder } = output;
      const end = encoder.quote(encoder.target, 0, output.prefix, envelope, quote);
      if (!this.handOut(output, end)) taken = false;
    }
    this.published(stream, taken, quote.exchangeTime, quote.updateId);
  }

  skipped(_nativeChannel: string): void {
    this.channel = CHANNEL.skipped;
  }

  control(control: Control): void {
    this.channel = CHANNEL.control;
    this.session!.control(control);
  }

  invalid(reason: InvalidReason, detail: string): void {
    this.counters.countInvalid(reason);
    if (this.lettered) return;
    this.lettered = true;
    this.outputs.deadLetter({
      exchange: this.exchange.name,
      frame: this.bytes.subarray(this.start, this.end),
      stage: 'decode',
      reason,
      detail,
      session: this.session!.id,
      timestampMs: this.tick.timestampMs,
    });
  }

  /** A sink gave records of a stream up, or may have written them twice. */
  sinkEvent(
    sink: string,
    state: 'gap' | 'repeated',
    channel: TickChannel,
    symbol: string,
    loss: SinkLoss,
  ): void {
    const stream = this.streamsOf(channel).find((each) => each?.instrument.symbol === symbol);
    if (stream === undefined) return;
    if (state === 'gap') this.counters.gaps[CHANNEL[channel]]!++;
    const event = {
      time: nowMicros(),
      state,
      reason: `${loss.reason} (sequence ${loss.firstSequence} to ${loss.lastSequence})`,
      count: loss.count,
    };
    this.outputs.status.write(subjectOf(stream), event, sink);
  }

  private enterSession(session: FeedSession): void {
    this.session = session;
    let text = this.sessionTexts.get(session);
    if (text === undefined) {
      text = new SessionText(session.id);
      this.sessionTexts.set(session, text);
    }
    this.envelope.session = text;
    this.overlap = this.overlapOf(session);
  }

  private overlapOf({ ordinal }: Session): Overlap | null {
    const takesPart = ({ from, to }: Overlap) => from.ordinal === ordinal || to.ordinal === ordinal;
    return this.overlaps.find(takesPart) ?? null;
  }

  private streamsOf(channel: TickChannel): (TickStream | undefined)[] {
    return channel === 'trades' ? this.trades : this.quotes;
  }

  /** The same update again, or one of the session that is behind while two overlap. */
  private superseded(stream: TickStream, updateId: number, exchangeTime: number): boolean {
    if (updateId !== -1) {
      if (updateId === stream.lastUpdateId) return true;
      return this.overlap !== null && updateId < stream.lastUpdateId;
    }
    // Without ids (Kraken) the exchange's own time tells which of two sessions is ahead.
    return this.overlap !== null && exchangeTime !== NO_TIME && exchangeTime <= stream.lastExchangeTime;
  }

  private handOut(output: TickOutput, end: number): boolean {
    const { tick, envelope } = this;
    tick.bytes = output.encoder.target;
    tick.start = 0;
    tick.end = end;
    tick.conflatedAt = envelope.conflatedAt;
    tick.sequence = envelope.sequence;
    return output.out.append(tick);
  }

  private published(stream: TickStream, taken: boolean, exchangeTime: number, id: ByteRange): void {
    const { envelope, counters } = this;
    stream.lastReceiveTime = envelope.receiveTime;
    if (taken) {
      counters.ticks[this.channel]!++;
      if (stream.shed !== null) this.shedEnds(stream);
    } else {
      counters.shed[this.channel]!++;
      if (stream.shed === null) this.shedBegins(stream);
      shed(stream, id.toString(), envelope.receiveTime);
    }
    if (exchangeTime !== NO_TIME) counters.observeLatency(envelope.receiveTime, exchangeTime);
  }

  /** Told at once: a partition that is set aside may stay so for days before its gap can be named. */
  private shedBegins(stream: TickStream): void {
    const event = {
      time: nowMicros(),
      state: 'shedding' as const,
      reason: 'queue full: the sink does not keep up, or has set the partition aside',
      session: this.session!.id,
      firstTime: this.envelope.receiveTime,
    };
    this.outputs.status.write(subjectOf(stream), event, this.outputs.refusingSink);
  }

  private shedEnds(stream: TickStream, session: Session | null = this.session): void {
    const ended = stream.shed!;
    stream.shed = null;
    this.gap(
      stream,
      { ...ended, reason: 'queue full: the sink did not keep up' },
      session,
      this.outputs.refusingSink,
    );
  }

  /** Writes what is still open as gap records; for the end of the pod's life. */
  closeShed(): void {
    for (const stream of [...this.trades, ...this.quotes]) {
      if (stream !== undefined && stream.shed !== null) this.shedEnds(stream, null);
    }
  }

  private idGap(stream: TickStream): void {
    const { firstMissing, lastMissing } = stream.continuity;
    const gap: OpenGap = {
      firstId: firstMissing,
      lastId: lastMissing,
      firstTime: stream.lastReceiveTime,
      lastTime: this.envelope.receiveTime,
    };
    // The session that is behind may still bring them.
    if (this.overlap !== null && stream.lostSession === '') stream.overlapping?.gaps.add(gap);
    else this.missing(stream, gap, stream.lostSession, this.session!);
  }

  private notNewer(stream: TickStream): void {
    this.counters.late[CHANNEL.trades]!++;
    const { firstCovered, lastCovered } = stream.continuity;
    stream.overlapping?.gaps.fill(firstCovered, lastCovered);
  }

  /** One of the two sessions is closed: what neither brought is missing. */
  private settleOverlap(stream: TickStream, overlapping: OverlappingTrades): void {
    const { gaps, overlap } = overlapping;
    overlapping.isOver = true;
    for (const gap of gaps.rest) this.missing(stream, gap, '', overlap.to);
  }

  private missing(stream: TickStream, gap: OpenGap, lostSession: string, session: Session): void {
    const { firstId, lastId } = gap;
    this.gap(
      stream,
      {
        ...gap,
        firstId: String(firstId),
        lastId: String(lastId),
        count: lastId - firstId + 1,
        reason: lostSession === '' ? 'ids are missing' : lostSession,
      },
      session,
    );
  }

  /** After a lost session, where ids prove nothing: what came between these times is suspected to be missing. */
  private timeGap(stream: TickStream): void {
    const before = stream.lastReceiveTime;
    // Before the first tick of all even ids have nothing to follow.
    if (stream.continuity.proves && before !== 0) return;
    this.gap(stream, {
      ...(before === 0 ? {} : { firstTime: before }),
      lastTime: this.envelope.receiveTime,
      reason: stream.lostSession,
    });
  }

  private gap(
    stream: TickStream,
    gap: {
      firstId?: string;
      lastId?: string;
      firstTime?: number;
      lastTime: number;
      count?: number;
      reason: string;
    },
    session: Session | null = this.session,
    sink: string | null = null,
  ): void {
    this.counters.gaps[CHANNEL[stream.channel]]!++;
    const event = {
      time: nowMicros(),
      state: 'gap' as const,
      ...(session === null ? {} : { session: session.id }),
      ...gap,
    };
    this.outputs.status.write(subjectOf(stream), event, sink);
  }
}

/** No queue took this tick: it belongs to what the gap record will name. */
function shed(stream: TickStream, id: string, receiveTime: number): void {
  stream.shed ??= { firstId: id, lastId: id, firstTime: receiveTime, lastTime: receiveTime, count: 0 };
  stream.shed.lastId = id;
  stream.shed.lastTime = receiveTime;
  stream.shed.count++;
}

/** Which record a change becomes; null: none. */
function statusStateOf(change: SubscriptionChange): StatusState | null {
  if (change.reconnected && change.to !== 'rejected') return 'reconnected';
  return change.to === 'requested' ? null : change.to;
}

function subjectOf(stream: TickStream) {
  const { exchange, symbol, exchangeSymbol } = stream.instrument;
  return { exchange, symbol, exchangeSymbol, channel: stream.channel };
}

function nowMicros(): number {
  return Date.now() * 1000;
}
