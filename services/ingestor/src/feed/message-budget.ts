import type { FeedLimits } from '../exchanges/exchange.ts';
import { TokenBucket } from './token-bucket.ts';

/** Kept free of requests, so that a ping or pong never has to exceed the budget. */
const RESERVE = 1;

type MessageLimits = Pick<FeedLimits, 'messagesPerSecond' | 'messageBurst' | 'messagesPerHour'>;

/**
 * Client messages on one connection. The hour's cap is a bucket of half the cap that refills by the
 * other half in an hour, so that no span of 60 minutes exceeds it.
 */
export class MessageBudget {
  private readonly second: TokenBucket;
  private readonly hour: TokenBucket | null;
  private slowed = false;

  constructor(limits: MessageLimits, now: number) {
    this.second = new TokenBucket(limits.messageBurst, limits.messagesPerSecond, now);
    const half = limits.messagesPerHour / 2;
    this.hour = Number.isFinite(half) ? new TokenBucket(half, half / 3600, now) : null;
  }

  /** True when a request may be sent now; it is then counted. */
  tryTake(now: number): boolean {
    if (this.waitMs(now) > 0) return false;
    this.second.tryTake(now, RESERVE);
    this.hour?.tryTake(now, RESERVE);
    return true;
  }

  /** Counts a ping or a pong, which do not wait. */
  spend(now: number): void {
    this.second.spend(now);
    this.hour?.spend(now);
  }

  waitMs(now: number): number {
    return Math.max(this.second.waitMs(now, RESERVE), this.hour?.waitMs(now, RESERVE) ?? 0);
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
