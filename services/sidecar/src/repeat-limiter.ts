/** How many lines of the same event and reason pass in one interval. */
const LIMIT = 5;
const INTERVAL_MS = 60_000;
/** Kinds of line remembered at once; further ones share one allowance. */
const KEYS = 200;
const OTHERS = '(others)';

/**
 * Keeps what happens again and again from filling the log: the first few of the same key pass in each interval,
 * the rest is counted and told once when the interval ends.
 */
export class RepeatLimiter {
  private readonly suppressed: (key: string, count: number) => void;
  private readonly seen = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;

  /** `suppressed` is told how many of a key were held back. */
  constructor(suppressed: (key: string, count: number) => void) {
    this.suppressed = suppressed;
  }

  /** True when this one may be logged. */
  admits(key: string): boolean {
    // Unreferenced: what was held back must not keep the process alive; `flush` tells it at the end.
    this.timer ??= setTimeout(() => this.flush(), INTERVAL_MS).unref();
    const slot = this.seen.has(key) || this.seen.size < KEYS ? key : OTHERS;
    const count = (this.seen.get(slot) ?? 0) + 1;
    this.seen.set(slot, count);
    return count <= LIMIT;
  }

  /** Ends the interval now. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const seen = [...this.seen];
    this.seen.clear();
    for (const [key, count] of seen) if (count > LIMIT) this.suppressed(key, count - LIMIT);
  }
}
