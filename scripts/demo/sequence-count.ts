/** The first and the last sequence that any subscriber has seen of each stream. */
export class StreamEnds {
  private readonly ends = new Map<string, { first: number; last: number }>();

  /** A subscriber got a tick that stands for the sequences from `first` to `last`. */
  saw(stream: string, first: number, last: number): void {
    const end = this.ends.get(stream);
    if (end === undefined) {
      this.ends.set(stream, { first, last });
      return;
    }
    if (first < end.first) end.first = first;
    if (last > end.last) end.last = last;
  }

  [Symbol.iterator](): IterableIterator<[string, { readonly first: number; readonly last: number }]> {
    return this.ends.entries();
  }
}

/** What a tick says of its place. */
export interface SequencedTick {
  readonly producer: string;
  readonly exchange: string;
  readonly symbol: string;
  readonly sequence: number;
  /** How many earlier ticks it stands for. */
  readonly conflated: number;
}

/**
 * Counts what one subscriber got and missed, by the sequences of each stream (producer, exchange, symbol, channel)
 * from its first tick on: whatever lies between a tick and `sequence - conflated` of the next is lost.
 */
export class SequenceCount {
  /** Distinct ticks. */
  delivered = 0;
  /** Ticks that had come before. */
  duplicates = 0;
  /** Ticks missing between two that came. */
  holes = 0;
  private readonly ends: StreamEnds;
  private readonly last = new Map<string, number>();

  /** @param ends shared by all subscribers */
  constructor(ends: StreamEnds = new StreamEnds()) {
    this.ends = ends;
  }

  tick(channel: string, { producer, exchange, symbol, sequence, conflated }: SequencedTick): void {
    const stream = `${producer} ${exchange} ${symbol} ${channel}`;
    const last = this.last.get(stream);
    if (last !== undefined && sequence <= last) {
      this.duplicates++;
      return;
    }
    const first = sequence - conflated;
    if (last !== undefined && first > last + 1) this.holes += first - last - 1;
    this.last.set(stream, sequence);
    this.ends.saw(stream, first, sequence);
    this.delivered++;
  }

  /**
   * What is lost when nothing more can come: the holes, and what other subscribers got behind our last tick or of
   * streams that we never saw.
   */
  lostAtEnd(): number {
    let lost = this.holes;
    for (const [stream, { first, last }] of this.ends) {
      lost += Math.max(0, last - (this.last.get(stream) ?? first - 1));
    }
    return lost;
  }
}
