/** How much of the usual interval one observation replaces. */
const WEIGHT = 0.1;

/**
 * How often ticks of one subscription usually come. Observed from counts between checks, never per
 * message; survives sessions.
 */
export class DataRhythm {
  private usual = 0;
  private seen = false;

  /** Usual milliseconds between ticks; 0: not known yet. */
  get usualMs(): number {
    return this.usual;
  }

  /** Whether any tick ever came. */
  get everData(): boolean {
    return this.seen;
  }

  /** A first tick: it says that there is data, not yet how often. */
  first(): void {
    this.seen = true;
  }

  /** `count` ticks came in a span that began with an earlier tick. */
  observe(count: number, spanMs: number): void {
    this.seen = true;
    const interval = Math.max(spanMs, 0.001) / count;
    this.usual = this.usual === 0 ? interval : this.usual + WEIGHT * (interval - this.usual);
  }
}

export interface SilenceSettings {
  /** Silence beyond `max(this, 20 × usual interval)` is stale; Infinity: adaptive, see `silenceLimitMs`. */
  readonly minimumMs: number;
  /** Ticks usually at most this far apart: normally busy. */
  readonly busyIntervalMs: number;
  /** The minimum of adaptive subscriptions that are normally busy. */
  readonly adaptiveMinimumMs: number;
}

/** Silence of this many usual intervals is no accident. */
export const USUAL_INTERVALS = 20;

export function isBusy(usualMs: number, busyIntervalMs: number): boolean {
  return usualMs > 0 && usualMs <= busyIntervalMs;
}

/**
 * Milliseconds of silence after which a confirmed subscription is stale. Infinity for an adaptive
 * one (trades) that is not normally busy: silence alone proves nothing about a quiet symbol.
 */
export function silenceLimitMs(settings: SilenceSettings, usualMs: number): number {
  if (settings.minimumMs !== Infinity) return Math.max(settings.minimumMs, USUAL_INTERVALS * usualMs);
  if (!isBusy(usualMs, settings.busyIntervalMs)) return Infinity;
  return Math.max(settings.adaptiveMinimumMs, USUAL_INTERVALS * usualMs);
}
