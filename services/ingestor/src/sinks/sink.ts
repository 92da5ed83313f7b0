import type { SinkStatus } from '@tickline/schemas';

/** Encodings a sink may want; each is made once per tick and shared by all sinks that want it. */
export type TickFormat = 'avro' | 'json' | 'protobuf';

/** What a sink does when its queue is full. */
export type OverflowPolicy =
  /** Replace the waiting tick by the newer one, which says how many it stands for (quotes, tickers). */
  | 'conflate'
  /** Never dropped silently: the flow is paused, then shed with a gap record (trades, books, status). */
  | 'keep';

/** One (topic, exchange, symbol, channel) of a sink, opened once. */
export interface StreamDescriptor {
  /** Topic without prefix: `trades`, `quotes`, `status`. */
  readonly topic: string;
  readonly exchange: string;
  readonly symbol: string;
  readonly channel: string;
  readonly key: string;
  readonly overflow: OverflowPolicy;
}

/** One encoded tick on its way to the sinks; filled again for each, its bytes valid during the call only. */
export class EncodedTick {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Receive time in whole milliseconds: the record's timestamp. */
  timestampMs = 0;
  /** Offset in `bytes` of `conflated`: one byte, a zero of the format (`\0`, or the digit `0` in JSON). */
  conflatedAt = 0;
  sequence = 0;
}

export interface SinkStream {
  /**
   * Takes a copy of the tick into the sink's own queue. Returns false when the tick could not be
   * taken (only policy `keep`, queue full): the caller counts it as shed and writes the gap record.
   * That is a word for the whole pod, as `full` is: only the sink for which sockets pause says it. Every
   * other sink returns true whatever becomes of the tick, and tells its own loss by `lost`.
   */
  append(tick: EncodedTick): boolean;
}

/** What a sink tells the ingestor about. All synchronous, never from within `append`. */
export interface SinkListener {
  /** The queue is full: stop reading sockets for a while. */
  full(sink: string): void;
  /** The queue has room again (below three quarters). */
  drained(sink: string): void;
  /** These records of a stream were given up (too large, not authorized): becomes a gap record. */
  lost(stream: StreamDescriptor, loss: SinkLoss): void;
  /** These may now be in the topic twice (a new producer id): becomes a `repeated` record. */
  repeated(stream: StreamDescriptor, repeat: SinkLoss): void;
}

export interface SinkLoss {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly count: number;
  readonly reason: string;
}

/** A sink can't start, and trying again would not help: its settings are at fault. The message names the setting. */
export class SinkRefusedError extends Error {
  override name = 'SinkRefusedError';
}

/** Where encoded ticks go. A sink never knows an exchange, and none can slow another. */
export interface Sink {
  readonly name: string;
  readonly format: TickFormat;
  /**
   * Whether `append` may return false and `full` be told: of the one sink for which sockets pause. All others
   * take every tick and tell their own losses.
   */
  readonly mayRefuse: boolean;
  /** Connects; resolves when the sink can take ticks. Rejects with a sentence that names the setting. */
  start(listener: SinkListener): Promise<void>;
  /** After `start`. */
  stream(descriptor: StreamDescriptor): SinkStream;
  /** Sends a frame that was not understood to where such frames go, if the sink has such a place. */
  deadLetter(letter: DeadLetter): void;
  /** Resolves true when all that was appended is acknowledged, false when the budget ran out. */
  flush(budgetMs: number): Promise<boolean>;
  /** Ends all connections. What is still queued is told by `lost`. */
  close(): Promise<void>;
  status(): SinkStatus;
  /** What metrics show of the sink, where it counts. Asked at each scrape. */
  reading?(): SinkReading;
}

/** Counts of a sink, which only grow, and the state of its queue. */
export interface SinkReading {
  /** The sink's name, which is the label `sink`. */
  readonly sink: string;
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  readonly queueLimitBytes: number;
  /** Records that the sink's server confirmed. */
  readonly acknowledged: number;
  /** Requests sent again. */
  readonly retries: number;
  /** By the name that the server, or the client, gave: `NOT_LEADER_OR_FOLLOWER`, `connection`, … A fixed set. */
  readonly errorsByCode: ReadonlyMap<string, number>;
  /** From sending to the acknowledgement: upper bounds in milliseconds, a count for each and one above all. */
  readonly ackLatencyMs: {
    readonly bounds: readonly number[];
    readonly counts: ArrayLike<number>;
    readonly sum: number;
  };
  /** Ticks replaced by a newer one in the queue. */
  readonly conflated: number;
  /** Ticks not taken or given up; each is in a gap record. */
  readonly shed: number;
  /** Frames that were not understood and found no room on their way to the dead letters. */
  readonly deadLettersDropped: number;
  /** Connected clients, of a sink that serves them. */
  readonly clients?: number;
}

export interface DeadLetter {
  readonly exchange: string;
  readonly frame: Uint8Array;
  /** `decode`, `validate`, … */
  readonly stage: string;
  readonly reason: string;
  readonly detail: string;
  readonly session: string;
  readonly timestampMs: number;
}
