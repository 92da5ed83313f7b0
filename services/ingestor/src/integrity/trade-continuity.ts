import type { ByteRange, TradeIdRule } from '@tickline/schemas';

/** The trade follows the one before, or is the first, or the ids prove nothing. */
export const CONTIGUOUS = 0;
/** Ids are missing before the trade: see `firstMissing`, `lastMissing`. */
export const GAP = 1;
/** The id is not above the last: a repeat, or late. Not dropped: a high-water mark would lose data in an overlap. */
export const NOT_NEWER = 2;
export type Continuity = typeof CONTIGUOUS | typeof GAP | typeof NOT_NEWER;

/** So many trades in a row below the last id mean that the exchange counts anew. */
const RESTART_AFTER = 32;
/** Ids of up to 15 digits are exact in a number. */
const MAX_DIGITS = 15;

/**
 * Whether a symbol's trades are complete, by the exchange's own ids and what they prove (`TradeIdRule`). Where they
 * prove nothing, every trade is taken as contiguous.
 */
export class TradeContinuity {
  firstMissing = 0;
  lastMissing = 0;
  /** The ids that the trade asked about last covers, unless it was taken as contiguous for want of numbers. */
  firstCovered = 0;
  lastCovered = 0;
  private last = -1;
  private below = 0;
  private readonly rule: TradeIdRule;

  constructor(rule: TradeIdRule) {
    this.rule = rule;
  }

  /** True when a gap between two of this symbol's trades would show in the ids. */
  get proves(): boolean {
    return this.rule !== 'opaque';
  }

  next(tradeId: ByteRange, fillCount: number): Continuity {
    if (this.rule === 'opaque') return CONTIGUOUS;
    const id = wholeNumber(tradeId);
    if (id === -1) return CONTIGUOUS;
    const first = this.rule === 'counting-fills' && fillCount > 1 ? id - fillCount + 1 : id;
    this.firstCovered = first;
    this.lastCovered = id;
    const last = this.last;
    if (id <= last) {
      if (++this.below >= RESTART_AFTER) {
        this.last = id;
        this.below = 0;
      }
      return NOT_NEWER;
    }
    this.below = 0;
    this.last = id;
    if (last === -1 || first <= last + 1) return CONTIGUOUS;
    this.firstMissing = last + 1;
    this.lastMissing = first - 1;
    return GAP;
  }
}

/** The number that the range spells, or -1 when it is no whole number of at most 15 digits. */
export function wholeNumber(range: ByteRange): number {
  const { bytes, start, end } = range;
  if (end === start || end - start > MAX_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
