/** Wrong tokens that an address may send in one interval, and the interval. */
const LIMIT = 10;
const INTERVAL_MS = 60_000;
/** Addresses remembered at once; all others share one allowance. */
const ADDRESSES = 1_000;
const OTHERS = '(others)';

/** Makes guessing slow: after some wrong tokens an address is not listened to until the interval ends. */
export class FailureLimiter {
  private readonly now: () => number;
  private readonly failures = new Map<string, number>();
  private startedAt: number;

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.startedAt = now();
  }

  /** Seconds until this address is listened to again; 0: now. */
  waitSeconds(address: string): number {
    this.turn();
    if ((this.failures.get(this.slot(address)) ?? 0) < LIMIT) return 0;
    return Math.max(1, Math.ceil((this.startedAt + INTERVAL_MS - this.now()) / 1000));
  }

  /** The address sent a wrong token. */
  failed(address: string): void {
    this.turn();
    const slot = this.slot(address);
    this.failures.set(slot, (this.failures.get(slot) ?? 0) + 1);
  }

  private slot(address: string): string {
    return this.failures.has(address) || this.failures.size < ADDRESSES ? address : OTHERS;
  }

  private turn(): void {
    if (this.now() - this.startedAt < INTERVAL_MS) return;
    this.startedAt = this.now();
    this.failures.clear();
  }
}
