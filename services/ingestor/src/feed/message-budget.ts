import type { FeedLimits } from '../exchanges/exchange.ts';
import { MessageWindow } from './message-window.ts';
import { TokenBucket } from './token-bucket.ts';

/** Kept free of requests and pings, so that the pong to a server's ping does not exceed the limits. */
const RESERVE = 1;

type MessageLimits = Pick<FeedLimits, 'messagesPerSecond' | 'messageBurst' | 'messagesPerHour'>;

/**
 * Client messages on one connection: at most `messagesPerSecond` in any second, pings and pongs included,
 * where a bucket alone would let out a burst on top; at most `messageBurst` at once. The hour's cap is a
 * bucket of half the cap that refills by the other half in an hour, so that no span of 60 minutes exceeds it.
 */
export class MessageBudget {
  private readonly second: TokenBucket;
  private readonly window: MessageWindow | null;
  private readonly hour: TokenBucket | null;
  private slowed = false;

  constructor(limits: MessageLimits, now: number) {
    this.second = new TokenBucket(limits.messageBurst, limits.messagesPerSecond, now);
    this.window = Number.isFinite(limits.messagesPerSecond)
      ? new MessageWindow(limits.messagesPerSecond)
      : null;
    const half = limits.messagesPerHour / 2;
    this.hour = Number.isFinite(half) ? new TokenBucket(half, half / 3600, now) : null;
  }

  /** True when a request may be sent now; it is then counted. */
  tryTake(now: number): boolean {
    if (this.waitMs(now) > 0) return false;
    this.second.tryTake(now, RESERVE);
    this.window?.note(now);
    this.hour?.tryTake(now, RESERVE);
    return true;
  }

  /** Counts a ping or a pong, which wait for no request. */
  spend(now: number): void {
    this.second.spend(now);
    this.window?.note(now);
    this.hour?.spend(now);
  }

  waitMs(now: number): number {
    return Math.max(
      this.second.waitMs(now, RESERVE),
      this.window?.waitMs(now, RESERVE) ?? 0,
      this.hour?.waitMs(now, RESERVE) ?? 0,
    );
  }

  /** Milliseconds until a ping of ours does not exceed what any second may hold; it waits for nothing else. */
  pingWaitMs(now: number): number {
    return this.window?.waitMs(now, RESERVE) ?? 0;
  }

  /** The exchange says that we send too fast. */
  slowDown(now: number): void {
    this.slowed = true;
    this.second.slowDown(now);
  }

  /** A step back towards the full rate; true while there are more to take. */
  recover(now: number): boolean {
    if (this.slowed) this.slowed = !this.second.recover(now);
    return this.slowed;
  }
}
