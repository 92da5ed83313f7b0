import type { TickRecord } from './records.ts';

/** Ticks that this client did not get: the pod gave them numbers, and they did not come. */
export interface TickGap {
  readonly kind: 'gap';
  readonly exchange: string;
  readonly symbol: string;
  readonly channel: string;
  /** Of the pod's life in which they are missing. */
  readonly producer: string;
  /** First and last missing sequence; null when the pod began a new life meanwhile: nobody knows how many. */
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
}

interface Position {
  producer: string;
  sequence: number;
}

/**
 * Follows the sequences of one pod's streams over reconnects: says what is missing, and leaves out what came
 * before (the last values that a new connection begins with).
 */
export class Continuity {
  private readonly positions = new Map<string, Position>();

  /** `repeated`: to be left out; a gap: what is missing before this tick; null: it follows. */
  check({ kind, channel, record }: TickRecord): TickGap | 'repeated' | null {
    if (kind === 'status') return null;
    const { exchange, symbol, producer, sequence, conflated } = record;
    const key = `${exchange}\n${symbol}\n${channel}`;
    const position = this.positions.get(key);
    if (position === undefined) {
      this.positions.set(key, { producer, sequence });
      return null;
    }
    const { producer: before, sequence: last } = position;
    if (producer !== before) {
      position.producer = producer;
      position.sequence = sequence;
      return {
        kind: 'gap',
        exchange,
        symbol,
        channel,
        producer: before,
        firstSequence: null,
        lastSequence: null,
      };
    }
    if (sequence <= last) return 'repeated';
    position.sequence = sequence;
    const first = sequence - conflated;
    if (first <= last + 1) return null;
    return {
      kind: 'gap',
      exchange,
      symbol,
      channel,
      producer,
      firstSequence: last + 1,
      lastSequence: first - 1,
    };
  }
}
