/** What can be made to wait. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * What a full queue does to the flow: the sockets are paused for a few seconds at most (a paused socket answers no ping), so that the
 * exchange's own buffers bridge a short stall; then they are read on, and what finds no room is
 * shed and named in a gap record. They are not paused again before every full queue has drained.
 */
export class Backpressure {
  private readonly full = new Set<string>();
  private timer: NodeJS.Timeout | null = null;
  private paused = false;
  private readonly feeds: () => Iterable<Pausable>;
  private readonly maxPauseMs: number;

  constructor(feeds: () => Iterable<Pausable>, maxPauseMs: number) {
    this.feeds = feeds;
    this.maxPauseMs = maxPauseMs;
  }

  sinkFull(sink: string): void {
    const first = this.full.size === 0;
    this.full.add(sink);
    if (!first) return;
    this.paused = true;
    for (const feed of this.feeds()) feed.pause();
    this.timer = setTimeout(() => this.release(), this.maxPauseMs);
  }

  sinkDrained(sink: string): void {
    this.full.delete(sink);
    if (this.full.size === 0) this.release();
  }

  /** Ends a pause for good: the pod stops. */
  release(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (!this.paused) return;
    this.paused = false;
    for (const feed of this.feeds()) feed.resume();
  }
}
