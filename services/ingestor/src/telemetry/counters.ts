import { type ExchangeName, TICK_CHANNELS, type TickChannel } from '@tickline/schemas';
import { LatencyHistogram } from './latency-histogram.ts';
import { LeastLatency } from './least-latency.ts';

/**
 * Values of `channel` of `ws_messages_received_total`. Every received message counts once: in the channel of
 * its first tick; else as `control` (acknowledgements, pongs, errors), `skipped` (a data channel of which we
 * keep nothing) or `invalid` (nothing of it was understood). The tick channels come first, so that
 * {@link CHANNEL} indexes messages and ticks alike.
 */
export const MESSAGE_CHANNELS = [...TICK_CHANNELS, 'control', 'skipped', 'invalid'] as const;
export type MessageChannel = (typeof MESSAGE_CHANNELS)[number];

/** Index of a channel in the arrays of {@link ExchangeCounters}. */
export const CHANNEL: Readonly<Record<MessageChannel, number>> = Object.freeze(
  Object.fromEntries(MESSAGE_CHANNELS.map((channel, index) => [channel, index])) as Record<
    MessageChannel,
    number
  >,
);

/**
 * What the pipeline counts for one exchange, in plain arrays: an increment is a few instructions and allocates
 * nothing (`counters.messages[CHANNEL.trades]!++`). Metrics and status read them when asked. All only grow.
 */
export class ExchangeCounters {
  readonly exchange: ExchangeName;
  /** Received messages by {@link CHANNEL}. */
  readonly messages: Float64Array = new Float64Array(MESSAGE_CHANNELS.length);
  /** Ticks given to the sinks, by tick channel. */
  readonly ticks: Float64Array = new Float64Array(TICK_CHANNELS.length);
  /** Gap records written, by tick channel. */
  readonly gaps: Float64Array = new Float64Array(TICK_CHANNELS.length);
  /** Trades whose id is not above the last (late or repeated, but published), by tick channel. */
  readonly late: Float64Array = new Float64Array(TICK_CHANNELS.length);
  /** Ticks that no sink had room for: each is in a gap record, by tick channel. */
  readonly shed: Float64Array = new Float64Array(TICK_CHANNELS.length);
  /** Ticks that an exchange sent again and that were not published again, by tick channel. */
  readonly repeats: Float64Array = new Float64Array(TICK_CHANNELS.length);
  /** Receive time minus exchange time, milliseconds, one observation for each message that carries a time. */
  readonly latency: LatencyHistogram = new LatencyHistogram();
  /** The least of the latest latencies, negative ones included. */
  readonly leastLatency: LeastLatency = new LeastLatency(performance.now());
  private readonly skewed = new Float64Array(1);
  private readonly invalidByReason = new Map<string, number>();

  /** `invalidReasons`: known beforehand, so that each has its series from the start. */
  constructor(exchange: ExchangeName, invalidReasons: readonly string[]) {
    this.exchange = exchange;
    for (const reason of invalidReasons) this.invalidByReason.set(reason, 0);
  }

  /** One message's latency; both times in microseconds. An exchange time after our receive time counts as clock skew. */
  observeLatency(receiveTime: number, exchangeTime: number): void {
    const micros = receiveTime - exchangeTime;
    this.leastLatency.observe(micros);
    if (micros < 0) this.skewed[0]!++;
    else this.latency.observe(micros / 1000);
  }

  /** One frame, or one tick within a frame, was refused. `reason` is one of a fixed set, never text of the exchange. */
  countInvalid(reason: string): void {
    this.invalidByReason.set(reason, (this.invalidByReason.get(reason) ?? 0) + 1);
  }

  /** Messages whose exchange time lay after our receive time. */
  get clockSkew(): number {
    return this.skewed[0]!;
  }

  get invalid(): ReadonlyMap<string, number> {
    return this.invalidByReason;
  }

  get messageTotal(): number {
    return total(this.messages);
  }

  get tickTotal(): number {
    return total(this.ticks);
  }

  get gapTotal(): number {
    return total(this.gaps);
  }

  get invalidTotal(): number {
    return total(this.invalidByReason.values());
  }

  /** `[channel, count]` of a per-tick-channel array. */
  static byTickChannel(counts: Float64Array): [TickChannel, number][] {
    return TICK_CHANNELS.map((channel, index) => [channel, counts[index]!]);
  }
}

function total(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
