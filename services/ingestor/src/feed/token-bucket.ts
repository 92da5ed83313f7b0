/**
 * At most `burst` at once and `perSecond` sustained: in any span of `s` seconds no more than
 * `burst + perSecond × s` are granted. Times are milliseconds given by the caller.
 */
export class TokenBucket {
  private readonly burst: number;
  private perMs: number;
  private readonly fullPerMs: number;
  private tokens: number;
  private at: number;

  constructor(burst: number, perSecond: number, now: number) {
    this.burst = Math.max(1, burst);
    this.perMs = perSecond / 1000;
    this.fullPerMs = this.perMs;
    this.tokens = this.burst;
    this.at = now;
  }

  /** Takes one if it is there, leaving `reserve` untouched for what cannot wait. */
  tryTake(now: number, reserve = 0): boolean {
    if (this.waitMs(now, reserve) > 0) return false;
    this.tokens--;
    return true;
  }

  /** Takes one whether it is there or not: what must be sent (a pong) still counts. */
  spend(now: number): void {
    this.refill(now);
    this.tokens--;
  }

  /** Milliseconds until `tryTake` succeeds; 0: now. */
  waitMs(now: number, reserve = 0): number {
    this.refill(now);
    const missing = 1 + Math.min(reserve, this.burst - 1) - this.tokens;
    // The sliver is rounding of the refill, not a token.
    return missing <= 1e-9 ? 0 : missing / this.perMs;
  }

  /** Halves the rate, down to 1/32 of what it was made with. */
  slowDown(now: number): void {
    this.refill(now);
    this.perMs = Math.max(this.fullPerMs / 32, this.perMs / 2);
    this.tokens = Math.min(this.tokens, 1);
  }

  /** Gives back a tenth of the full rate; true when all of it is back. */
  recover(now: number): boolean {
    this.refill(now);
    this.perMs = Math.min(this.fullPerMs, this.perMs + this.fullPerMs / 10);
    return this.perMs >= this.fullPerMs;
  }

  private refill(now: number): void {
    if (now <= this.at) return;
    this.tokens = Math.min(this.burst, this.tokens + (now - this.at) * this.perMs);
    this.at = now;
  }
}
