import type { EncodedTick } from '../sink.ts';
import { copyBytes } from './batch-format.ts';
import type { ClientQueue, HeldQuote } from './client-queue.ts';

/** One stream's way into one client's queue. */
export class Subscription implements HeldQuote {
  private readonly queue: ClientQueue;
  private readonly kindTag: number;
  /** Quotes of a client that asked for it. */
  private readonly conflates: boolean;
  private isHolding = false;
  private slot: Uint8Array = new Uint8Array(0);
  private heldEnd = 0;
  private heldConflatedAt = 0;
  /** How many earlier ticks the held one stands for. */
  private heldConflated = 0;

  constructor(queue: ClientQueue, kindTag: number, conflates: boolean) {
    this.queue = queue;
    this.kindTag = kindTag;
    this.conflates = conflates;
  }

  get placeBytes(): number {
    return this.slot.length;
  }

  push(tick: EncodedTick): void {
    const { queue } = this;
    if (this.conflates && (this.isHolding || queue.isBehind)) this.hold(tick);
    else queue.append(this.kindTag, tick.bytes, tick.start, tick.end);
  }

  release(): void {
    this.isHolding = false;
    if (this.heldConflated === 0) {
      this.queue.append(this.kindTag, this.slot, 0, this.heldEnd);
    } else {
      this.queue.appendConflated(
        this.kindTag,
        this.slot,
        this.heldEnd,
        this.heldConflatedAt,
        this.heldConflated,
      );
    }
  }

  discard(): void {
    this.isHolding = false;
  }

  private hold(tick: EncodedTick): void {
    if (this.queue.isEnded) return;
    const length = tick.end - tick.start;
    const before = this.slot.length;
    if (before < length) this.slot = new Uint8Array((length + 63) & ~63);
    this.heldEnd = copyBytes(tick.bytes, tick.start, tick.end, this.slot, 0);
    this.heldConflatedAt = tick.conflatedAt - tick.start;
    if (this.isHolding) {
      this.heldConflated++;
      this.queue.replaced(this.slot.length - before);
    } else {
      this.isHolding = true;
      this.heldConflated = 0;
      this.queue.hold(this);
    }
  }
}
