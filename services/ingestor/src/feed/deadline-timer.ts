/** setTimeout takes at most 2^31 − 1 ms; a later deadline is looked at again on the way. */
const LONGEST_MS = 3_600_000;

/** One timer for whatever is due next. `wake` finds out what that is and arms it again. */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | null = null;
  private readonly wake: () => void;

  constructor(wake: () => void) {
    this.wake = wake;
  }

  /** Wakes after `delayMs`, instead of what was armed before. Infinity: not at all. */
  arm(delayMs: number): void {
    this.clear();
    if (delayMs === Infinity) return;
    // Rounded up: a timer may fire a fraction of a millisecond early and would find nothing due.
    const delay = Math.ceil(Math.min(LONGEST_MS, Math.max(0, delayMs)));
    this.timer = setTimeout(() => {
      this.timer = null;
      this.wake();
    }, delay);
  }

  clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
