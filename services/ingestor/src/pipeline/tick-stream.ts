import { NO_TIME, type TickChannel, type TradeIdRule, tickKey } from '@tickline/schemas';
import type { IndexedInstrument } from '../exchanges/instrument.ts';
import type { Session } from '../feed/feed.ts';
import { OpenGaps } from '../integrity/open-gaps.ts';
import { RecentIds } from '../integrity/recent-ids.ts';
import { TradeContinuity } from '../integrity/trade-continuity.ts';
import type { SinkStream, StreamDescriptor, TickFormat } from '../sinks/sink.ts';
import type { TickEncoder } from './tick-encoder.ts';

/** What was shed of a stream since the queue became full: one gap record when the flow is back. */
export interface Shed {
  firstId: string;
  lastId: string;
  firstTime: number;
  lastTime: number;
  count: number;
}

/** A planned change of sessions that is under way: both deliver. */
export interface Overlap {
  readonly from: Session;
  readonly to: Session;
}

/** A symbol's trades while two sessions bring them. */
export class OverlappingTrades {
  readonly overlap: Overlap;
  readonly recent: RecentIds = new RecentIds();
  readonly gaps: OpenGaps = new OpenGaps();
  /** One session is closed; the other may still be behind what that one brought. */
  isOver = false;

  constructor(overlap: Overlap) {
    this.overlap = overlap;
  }
}

/** The way of a stream's ticks in one format. */
export interface TickOutput {
  readonly encoder: TickEncoder;
  readonly prefix: Uint8Array;
  readonly out: SinkStream;
}

/** The ticks of one symbol and channel: what is made once for all of them, and where they stand. */
export class TickStream {
  readonly instrument: IndexedInstrument;
  readonly channel: TickChannel;
  /** One for each format that some sink wants. */
  readonly outputs: readonly TickOutput[];
  readonly continuity: TradeContinuity;
  /** Of the last tick; the first is 1. */
  sequence = 0;
  /** Of the last tick, microseconds; 0 before the first. */
  lastReceiveTime = 0;
  /** Of the last quote; -1 before the first, and where ids are no numbers. */
  lastUpdateId = -1;
  /** Of the last quote, microseconds; stands in for an id while two sessions overlap. */
  lastExchangeTime = NO_TIME;
  /** Why the session before was lost, until the first tick after it; empty otherwise. */
  lostSession = '';
  /** While two sessions bring its trades, and until the one that is left brings a new one. */
  overlapping: OverlappingTrades | null = null;
  shed: Shed | null = null;

  constructor(
    instrument: IndexedInstrument,
    channel: TickChannel,
    tradeIds: TradeIdRule,
    encoders: readonly TickEncoder[],
    producer: string,
    open: (descriptor: StreamDescriptor, format: TickFormat) => SinkStream,
  ) {
    const { exchange, symbol } = instrument;
    this.instrument = instrument;
    this.channel = channel;
    this.continuity = new TradeContinuity(channel === 'trades' ? tradeIds : 'opaque');
    const descriptor: StreamDescriptor = {
      topic: channel,
      exchange,
      symbol,
      channel,
      key: tickKey(symbol),
      overflow: channel === 'quotes' ? 'conflate' : 'keep',
    };
    this.outputs = encoders.map((encoder) => ({
      encoder,
      prefix: encoder.prefix(instrument, channel, producer),
      out: open(descriptor, encoder.format),
    }));
  }
}
