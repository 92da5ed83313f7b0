export interface BackoffSettings {
  /** Upper bound of the first delay, milliseconds; it doubles with each attempt. */
  readonly firstMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
}

/**
 * Delays between attempts: `min(max, first × 2^n)`, of which the upper half is random, so that
 * sockets lost together do not return together. There is no last attempt. `reset` is for the owner
 * to call once what was retried has proved stable, not once it merely began.
 */
export class Backoff {
  private failures = 0;
  private readonly settings: BackoffSettings;
  private readonly random: () => number;

  constructor(settings: BackoffSettings, random: () => number) {
    this.settings = settings;
    this.random = random;
  }

  /** Failures since the last reset. */
  get attempts(): number {
    return this.failures;
  }

  /** Milliseconds to wait before the next attempt, within `[ceiling / 2, ceiling]`. */
  next(): number {
    const ceiling = Math.min(this.settings.maxMs, this.settings.firstMs * 2 ** Math.min(this.failures, 40));
    this.failures++;
    return ceiling / 2 + (ceiling / 2) * this.random();
  }

  reset(): void {
    this.failures = 0;
  }
}
