/**
 * The exchange's second is not ours: messages sent evenly may arrive closer together. So much longer
 * is the span in which we keep to its limit.
 */
const SPAN_MS = 1_100;

/** Never more than so many messages in any second. Times are monotonic milliseconds given by the caller. */
export class MessageWindow {
  private readonly limit: number;
  /** The latest messages, as many as the limit: a ring. */
  private readonly times: Float64Array;
  private next = 0;

  /** `perSecond` 1 or more; a fraction is cut off. */
  constructor(perSecond: number) {
    this.limit = Math.max(1, Math.floor(perSecond));
    this.times = new Float64Array(this.limit).fill(-Infinity);
  }

  /** A message is sent. */
  note(now: number): void {
    this.times[this.next] = now;
    this.next = (this.next + 1) % this.limit;
  }

  /** Milliseconds until one more is allowed with `reserve` of them left free; with a limit of 1 none is. */
  waitMs(now: number, reserve: number): number {
    const left = Math.min(reserve, this.limit - 1);
    // Of the latest `limit - left` messages the oldest must be out of the span.
    const at = this.times[(this.next + left) % this.limit]!;
    return Math.max(0, at + SPAN_MS - now);
  }
}
