/** A place where covered numbers begin or end: who brought the number at the edge, and when. */
export interface Edge {
  /** Receive time in microseconds. */
  readonly time: number;
  /** Place of the producer in the audit's list. */
  readonly producer: number;
}

/** Numbers that nobody brought, between two that somebody did. */
export interface Hole {
  readonly first: number;
  readonly last: number;
  /** Who brought the number below, and the one above. */
  readonly after: Edge;
  readonly before: Edge;
}

/**
 * Which whole numbers were covered, as intervals: where a stream is complete it is a single one, however long. What
 * comes in order is taken in constant time, what comes late in the logarithm of the number of holes.
 */
export class IntervalLedger {
  private readonly firsts: number[] = [];
  private readonly lasts: number[] = [];
  private readonly begins: Edge[] = [];
  private readonly ends: Edge[] = [];

  /** Covers `first … last`; returns how many of them were not covered before. */
  cover(first: number, last: number, time: number, producer: number): number {
    const { firsts, lasts } = this;
    const top = lasts.length - 1;
    if (top < 0 || first > lasts[top]! + 1) {
      const edge = { time, producer };
      firsts.push(first);
      lasts.push(last);
      this.begins.push(edge);
      this.ends.push(edge);
      return last - first + 1;
    }
    if (first === lasts[top]! + 1) {
      lasts[top] = last;
      this.ends[top] = { time, producer };
      return last - first + 1;
    }
    return this.coverBelow(first, last, { time, producer });
  }

  /** The holes among `low … high`, in their order; a hole is cut at these bounds. */
  *holes(low: number, high: number): Generator<Hole> {
    const { firsts, lasts } = this;
    for (let place = 1; place < firsts.length; place++) {
      const first = Math.max(lasts[place - 1]! + 1, low);
      const last = Math.min(firsts[place]! - 1, high);
      if (first <= last) yield { first, last, after: this.ends[place - 1]!, before: this.begins[place]! };
    }
  }

  /** Who brought the lowest number; null when there is none. */
  get begin(): Edge | null {
    return this.begins[0] ?? null;
  }

  get lowest(): number | null {
    return this.firsts[0] ?? null;
  }

  private coverBelow(first: number, last: number, edge: Edge): number {
    const { firsts, lasts, begins, ends } = this;
    // The intervals that touch `first … last`, or lie next to it: from `from` up to, without, `to`.
    const from = this.firstEndingAt(first - 1);
    let to = from;
    let known = 0;
    while (to < firsts.length && firsts[to]! <= last + 1) {
      known += Math.max(0, Math.min(last, lasts[to]!) - Math.max(first, firsts[to]!) + 1);
      to++;
    }
    const isAlone = from === to;
    const keepsBegin = !isAlone && firsts[from]! <= first;
    const keepsEnd = !isAlone && lasts[to - 1]! >= last;
    const begin = keepsBegin ? begins[from]! : edge;
    const end = keepsEnd ? ends[to - 1]! : edge;
    const lowest = keepsBegin ? firsts[from]! : first;
    const highest = keepsEnd ? lasts[to - 1]! : last;
    firsts.splice(from, to - from, lowest);
    lasts.splice(from, to - from, highest);
    begins.splice(from, to - from, begin);
    ends.splice(from, to - from, end);
    return last - first + 1 - known;
  }

  /** The place of the lowest interval that ends at `number` or above. */
  private firstEndingAt(number: number): number {
    let low = 0;
    let high = this.lasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lasts[middle]! >= number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
