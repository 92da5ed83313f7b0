/** Told about what was held back, once per interval for each event and key. */
export type SuppressedListener = (event: string, key: string, suppressed: number) => void;

/** Settings of a {@link RepeatLimiter}. */
export interface RepeatLimits {
  /** How many of the same event and key pass in one interval. */
  readonly limit: number;
  readonly intervalMs: number;
  /** Keys remembered at once for one event; further keys share one allowance under {@link OTHER_KEYS}. */
  readonly keys: number;
}

/** The key that stands for all keys beyond {@link RepeatLimits.keys}. */
export const OTHER_KEYS = '(others)';

export const DEFAULT_REPEAT_LIMITS: RepeatLimits = { limit: 5, intervalMs: 60_000, keys: 1_000 };

/**
 * Keeps a fault that happens again and again from filling the log: the first few of the same event and key pass
 * in each interval, the rest is counted and told once when the interval ends. Intervals are the same for all
 * keys and start with the first event after a quiet time; memory is bounded.
 */
export class RepeatLimiter {
  private readonly limits: RepeatLimits;
  private readonly suppressed: SuppressedListener;
  private readonly seen = new Map<string, Map<string, number>>();
  private timer: NodeJS.Timeout | null = null;

  constructor(suppressed: SuppressedListener, limits: RepeatLimits = DEFAULT_REPEAT_LIMITS) {
    this.limits = limits;
    this.suppressed = suppressed;
  }

  /** True when this one may be logged. Ask before building the line: a refusal costs two map look-ups. */
  admit(event: string, key: string): boolean {
    // Unreferenced: what was held back must not keep the process alive; `flush` tells it at the end.
    this.timer ??= setTimeout(() => this.flush(), this.limits.intervalMs).unref();
    let keys = this.seen.get(event);
    if (keys === undefined) {
      keys = new Map();
      this.seen.set(event, keys);
    }
    let slot = key;
    let count = keys.get(slot);
    if (count === undefined && keys.size >= this.limits.keys) {
      slot = OTHER_KEYS;
      count = keys.get(slot);
    }
    keys.set(slot, (count ?? 0) + 1);
    return (count ?? 0) < this.limits.limit;
  }

  /** Ends the interval now: tells what was held back and forgets it. Call it before the process ends. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const seen = [...this.seen];
    this.seen.clear();
    for (const [event, keys] of seen) {
      for (const [key, count] of keys) {
        if (count > this.limits.limit) this.suppressed(event, key, count - this.limits.limit);
      }
    }
  }
}
