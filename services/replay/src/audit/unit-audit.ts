import { type ExchangeName, isExchangeName, TRADE_ID_RULES, type TradeIdRule } from '@tickline/schemas';
import { type Hole, IntervalLedger } from './interval-ledger.ts';

/** How many opaque trade ids are remembered for each symbol: a repeat further away is not seen. */
export const OPAQUE_IDS_REMEMBERED = 10_000;
/** Whole numbers of up to 15 digits are exact in a number. */
const COUNTING_ID = /^\d{1,15}$/;

/** One tick, as the audit needs it. The same object may be used for each. */
export interface AuditedTick {
  /** Place of its producer in the audit's list. */
  readonly producer: number;
  readonly sequence: number;
  /** How many earlier ticks it stands for. */
  readonly conflated: number;
  /** Microseconds. */
  readonly receiveTime: number;
  /** Null on channels without ids. */
  readonly tradeId: string | null;
  /** Fills that the trade covers; 1 where the exchange does not say. */
  readonly fillCount: number;
  /** False for a tick outside the bounds in time: it fills holes, and is not counted. */
  readonly isInside: boolean;
}

/** Numbers of one kind that ticks inside the bounds carry, with what is missing between them. */
class Numbering {
  readonly ledger = new IntervalLedger();
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;

  /** Returns how many of the numbers are new. */
  cover(first: number, last: number, tick: AuditedTick): number {
    if (tick.isInside) {
      if (first < this.low) this.low = first;
      if (last > this.high) this.high = last;
    }
    return this.ledger.cover(first, last, tick.receiveTime, tick.producer);
  }

  /** Holes between the lowest and the highest number inside the bounds. */
  holes(): Hole[] {
    return [...this.ledger.holes(this.low, this.high)];
  }
}

/** What one producer wrote of the unit. */
class ProducerPart {
  readonly sequences = new Numbering();
  last = 0;
}

/** Missing sequence numbers of one producer. */
export interface SequenceHole extends Hole {
  /** Place in the audit's list. */
  readonly producer: number;
}

/**
 * Completeness of one symbol of one exchange, in one channel. It must be given the ticks in the order of their
 * offsets; a unit's ticks are all in one partition. Two proofs are held against each other:
 *
 * - by producer and sequence: each producer counts what it writes, from 1, so that a hole is a tick that we lost;
 * - by trade id, where those of the exchange prove anything: a hole is a trade that is not in the topic, whoever
 *   lost it.
 */
export class UnitAudit {
  readonly exchange: string;
  readonly symbol: string;
  readonly rule: TradeIdRule;
  /** Ticks inside the bounds that no earlier one repeats. */
  present = 0;
  duplicates = 0;
  outOfOrder = 0;
  private readonly startsAtBeginning: boolean;
  private readonly producers = new Map<number, ProducerPart>();
  private readonly ids = new Numbering();
  private readonly opaqueIds = new Set<string>();

  /**
   * `hasIds`: the channel carries trade ids. `startsAtBeginning`: the ticks are read from the partition's very first
   * record on, so that a producer's sequence must begin at 1.
   */
  constructor(exchange: string, symbol: string, hasIds: boolean, startsAtBeginning: boolean) {
    this.exchange = exchange;
    this.symbol = symbol;
    this.rule =
      hasIds && isExchangeName(exchange) ? TRADE_ID_RULES[exchange satisfies ExchangeName] : 'opaque';
    this.startsAtBeginning = startsAtBeginning;
  }

  take(tick: AuditedTick): void {
    const part = this.partOf(tick.producer);
    const { sequence, tradeId } = tick;
    let isRepeat = part.sequences.cover(sequence - tick.conflated, sequence, tick) === 0;
    if (!isRepeat && tick.isInside && sequence < part.last) this.outOfOrder++;
    if (sequence > part.last) part.last = sequence;
    if (tradeId !== null && this.isKnownId(tradeId, tick)) isRepeat = true;
    if (!tick.isInside) return;
    if (isRepeat) this.duplicates++;
    else this.present++;
  }

  /** What no producer's sequence covers. */
  missingSequences(): SequenceHole[] {
    return [...this.producers].flatMap(([producer, { sequences }]) => {
      const holes = sequences.holes();
      const { lowest, begin } = sequences.ledger;
      if (this.startsAtBeginning && lowest !== null && begin !== null && lowest > 1) {
        holes.unshift({ first: 1, last: lowest - 1, after: begin, before: begin });
      }
      return holes.map((hole) => ({ ...hole, producer }));
    });
  }

  /** Trade ids that are not there; null where ids prove nothing. */
  missingIds(): Hole[] | null {
    return this.rule === 'opaque' ? null : this.ids.holes();
  }

  private isKnownId(tradeId: string, tick: AuditedTick): boolean {
    if (this.rule === 'opaque' || !COUNTING_ID.test(tradeId)) {
      const { opaqueIds } = this;
      if (opaqueIds.has(tradeId)) return true;
      opaqueIds.add(tradeId);
      // A Set remembers the order in which its members came.
      if (opaqueIds.size > OPAQUE_IDS_REMEMBERED) opaqueIds.delete(opaqueIds.values().next().value!);
      return false;
    }
    const id = Number(tradeId);
    const fills = this.rule === 'counting-fills' ? tick.fillCount : 1;
    return this.ids.cover(id - fills + 1, id, tick) === 0;
  }

  private partOf(producer: number): ProducerPart {
    let part = this.producers.get(producer);
    if (part === undefined) {
      part = new ProducerPart();
      this.producers.set(producer, part);
    }
    return part;
  }
}
