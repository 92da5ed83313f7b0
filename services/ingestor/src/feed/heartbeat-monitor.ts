import type { Clock } from './clock.ts';

export interface HeartbeatSettings {
  /** A socket that gave nothing for so long is dead, milliseconds. */
  readonly timeoutMs: number;
  /** How often that is looked at, milliseconds. */
  readonly checkEveryMs: number;
  /** When we ping, milliseconds; default: the exchange's own. */
  readonly pingAfterMs?: number;
}

/** What the rule needs to know of a session; times of the monotonic clock. */
export interface TransportLife {
  /** Any bytes: a frame, a ping, the pong to ours. */
  readonly lastReceivedAt: number;
  /** Opened, or last resumed by us. */
  readonly watchedSince: number;
  readonly paused: boolean;
}

/** Design rule 3: silent for longer than the timeout, and not because we do not read. */
export function isSilent(life: TransportLife, now: number, timeoutMs: number): boolean {
  if (life.paused) return false;
  return now - Math.max(life.lastReceivedAt, life.watchedSince) > timeoutMs;
}

/**
 * Calls `check` on the period. A check that comes late by more than a period is not made: our own
 * process stood still, what the sockets hold has not been read, and its silence is ours.
 */
export class HeartbeatMonitor {
  private timer: NodeJS.Timeout | null = null;
  private lastAt = 0;
  private readonly settings: HeartbeatSettings;
  private readonly clock: Clock;
  private readonly check: (now: number) => void;

  constructor(settings: HeartbeatSettings, clock: Clock, check: (now: number) => void) {
    this.settings = settings;
    this.clock = clock;
    this.check = check;
  }

  start(): void {
    this.lastAt = this.clock.monotonic();
    this.timer = setInterval(() => this.beat(), this.settings.checkEveryMs);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** One period has passed. Called by the timer. */
  beat(): void {
    const now = this.clock.monotonic();
    const late = now - this.lastAt > 2 * this.settings.checkEveryMs;
    this.lastAt = now;
    if (!late) this.check(now);
  }
}
