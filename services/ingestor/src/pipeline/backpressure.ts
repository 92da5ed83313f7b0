/** What can be made to wait. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * What a full queue does to the flow: the sockets are paused for a few seconds at most (a paused
 * socket answers no ping), so that the exchange's own buffers bridge a short stall; then they are
 * read on, and what finds no room is shed and named in a gap record. No queue has them paused again
 * before it has drained; one that stays full for hours takes nothing from the others.
 */
export class Backpressure {
  /** Sinks that have not drained since their queue was full. */
  private readonly full = new Set<string>();
  /** Those that the pause under way is for. */
  private readonly pausedFor = new Set<string>();
  /** Ends the pause under way. */
  private timer: NodeJS.Timeout | null = null;
  private released = false;
  private readonly feeds: () => Iterable<Pausable>;
  private readonly maxPauseMs: number;

  constructor(feeds: () => Iterable<Pausable>, maxPauseMs: number) {
    this.feeds = feeds;
    this.maxPauseMs = maxPauseMs;
  }

  sinkFull(sink: string): void {
    if (this.released || this.full.has(sink)) return;
    this.full.add(sink);
    this.pausedFor.add(sink);
    if (this.timer !== null) return;
    for (const feed of this.feeds()) feed.pause();
    this.timer = setTimeout(() => this.readOn(), this.maxPauseMs);
  }

  sinkDrained(sink: string): void {
    this.full.delete(sink);
    this.pausedFor.delete(sink);
    if (this.pausedFor.size === 0) this.readOn();
  }

  /** Ends a pause for good: the pod stops. */
  release(): void {
    this.released = true;
    this.readOn();
  }

  private readOn(): void {
    this.pausedFor.clear();
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    for (const feed of this.feeds()) feed.resume();
  }
}
