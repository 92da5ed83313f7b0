import type { PodStatus } from '@tickline/schemas';
import type { Activity } from './snapshot.ts';

/** Least time from one value to the next, and how many are kept: five minutes of them. */
export const STEP_MS = 2_000;
const KEPT = 150;

interface Counted {
  readonly producer: string;
  /** Monotonic. */
  readonly at: number;
  readonly messages: ReadonlyMap<string, number>;
}

/** Messages a second of each exchange over the last minutes, from the counts of one poll and the next. */
export class ActivityHistory {
  private readonly stepMs: number;
  private last: Counted | null = null;
  private recordedAt = Number.NEGATIVE_INFINITY;
  private readonly rates = new Map<string, (number | null)[]>();
  private length = 0;

  /** `pollMs`: a value needs at least one poll. */
  constructor(pollMs: number) {
    this.stepMs = Math.max(STEP_MS, pollMs);
  }

  /** Takes in a poll at a monotonic time; `status` is null when it was not answered. */
  record(status: PodStatus | null, now: number): void {
    // Polls are a little late at times: a step is as good as over shortly before its end.
    if (now - this.recordedAt < this.stepMs * 0.95) return;
    this.recordedAt = now;
    const counted: Counted | null =
      status === null
        ? null
        : {
            producer: status.producer,
            at: now,
            messages: new Map(status.exchanges.map(({ exchange, messages }) => [exchange, messages])),
          };
    // The first poll is only what the next one is counted from.
    if (this.last !== null || this.length > 0) this.push(counted);
    this.last = counted;
  }

  read(): Activity {
    return {
      stepMs: this.stepMs,
      exchanges: [...this.rates].map(([exchange, messageRates]) => ({
        exchange,
        messageRates: [...messageRates],
      })),
    };
  }

  private push(counted: Counted | null): void {
    for (const exchange of counted?.messages.keys() ?? []) {
      if (!this.rates.has(exchange)) this.rates.set(exchange, new Array(this.length).fill(null));
    }
    this.length = Math.min(this.length + 1, KEPT);
    for (const [exchange, rates] of this.rates) {
      rates.push(this.rateOf(exchange, counted));
      if (rates.length > KEPT) rates.shift();
    }
  }

  /** Null over a restart: a new process counts from zero. */
  private rateOf(exchange: string, counted: Counted | null): number | null {
    const before = this.last;
    if (before === null || counted === null || before.producer !== counted.producer) return null;
    const from = before.messages.get(exchange);
    const to = counted.messages.get(exchange);
    if (from === undefined || to === undefined || to < from) return null;
    return ((to - from) * 1000) / (counted.at - before.at);
  }
}
