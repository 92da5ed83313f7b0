import type { Clock } from '../clock.ts';

/** Time that moves only when a test says so. */
export class VirtualClock implements Clock {
  private time = 0;
  private timers: { due: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { due: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  }

  /** Moves on by so many milliseconds, running every timer at its time and all promises in between. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const next = this.timers.reduce<{ due: number; run: () => void } | null>(
        (first, timer) => (timer.due <= end && (first === null || timer.due < first.due) ? timer : first),
        null,
      );
      if (next === null) break;
      this.timers = this.timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.due);
      next.run();
      await settle();
    }
    this.time = end;
  }
}

/** Lets everything run that waits for nothing but promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
