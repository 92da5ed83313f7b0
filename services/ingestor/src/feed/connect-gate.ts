import type { FeedLimits } from '../exchanges/exchange.ts';
import type { Clock } from './clock.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { TokenBucket } from './token-bucket.ts';

/** A place in the queue for a connection attempt. */
export interface ConnectTicket {
  /** False once it was this one's turn, or it was cancelled. */
  readonly waiting: boolean;
  cancel(): void;
}

interface Waiting extends ConnectTicket {
  waiting: boolean;
  readonly dial: () => void;
}

/** A ban longer than this is looked at again. */
const LONGEST_PAUSE_MS = 86_400_000;

/**
 * Connection attempts of this process to one exchange: within the budget for attempts and for open
 * connections, both divided by the pods that share the address. Lost connections go before planned
 * replacements, each in the order of asking.
 */
export class ConnectGate {
  /** Connections that may be open at once. */
  readonly limit: number;
  private readonly budget: TokenBucket;
  private readonly urgent: Waiting[] = [];
  private readonly planned: Waiting[] = [];
  private readonly timer: DeadlineTimer;
  private readonly clock: Clock;
  private open = 0;
  private pausedUntil = -Infinity;
  private stopped = false;

  constructor(
    limits: Pick<FeedLimits, 'connectBurst' | 'connectsPerMinute' | 'connections'>,
    sharedBy: number,
    clock: Clock,
  ) {
    const share = Math.max(1, sharedBy);
    this.clock = clock;
    this.limit = Math.max(1, Math.floor(limits.connections / share));
    this.budget = new TokenBucket(
      Math.max(1, Math.floor(limits.connectBurst / share)),
      limits.connectsPerMinute / share / 60,
      clock.monotonic(),
    );
    this.timer = new DeadlineTimer(() => this.admit());
  }

  /** Connections that were admitted and not left yet. */
  get openConnections(): number {
    return this.open;
  }

  get roomForMore(): boolean {
    return this.open < this.limit;
  }

  /** True while the host is left alone. */
  get paused(): boolean {
    return this.clock.monotonic() < this.pausedUntil;
  }

  /** Calls `dial` when it is this one's turn, perhaps before returning. Each dial is answered by one `leave`. */
  enter(kind: 'urgent' | 'planned', dial: () => void): ConnectTicket {
    const queue = kind === 'urgent' ? this.urgent : this.planned;
    const waiting: Waiting = {
      waiting: true,
      dial,
      cancel: () => {
        waiting.waiting = false;
        const at = queue.indexOf(waiting);
        if (at !== -1) queue.splice(at, 1);
      },
    };
    queue.push(waiting);
    this.admit();
    return waiting;
  }

  /** An admitted connection is closed. */
  leave(): void {
    this.open--;
    this.admit();
  }

  /** No attempt for so long. */
  pause(ms: number): void {
    this.pausedUntil = Math.max(
      this.pausedUntil,
      this.clock.monotonic() + Math.min(LONGEST_PAUSE_MS, Math.max(0, ms)),
    );
    this.admit();
  }

  stop(): void {
    this.stopped = true;
    this.timer.clear();
    this.urgent.length = 0;
    this.planned.length = 0;
  }

  private admit(): void {
    while (!this.stopped && this.roomForMore) {
      const queue = this.urgent.length > 0 ? this.urgent : this.planned;
      if (queue.length === 0) return;
      const now = this.clock.monotonic();
      const wait = Math.max(this.pausedUntil - now, this.budget.waitMs(now));
      if (wait > 0) {
        this.timer.arm(wait);
        return;
      }
      this.budget.tryTake(now);
      this.open++;
      const next = queue.shift()!;
      next.waiting = false;
      next.dial();
    }
  }
}
