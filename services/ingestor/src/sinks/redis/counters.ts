import { AckLatency } from '../acknowledgement-latency.ts';

/** Plain counts that only grow, for whoever makes metrics of them. */
export class RedisCounters {
  /** Ticks that Redis confirmed. */
  records = 0;
  /** Script calls that Redis answered. */
  batches = 0;
  /** Batches sent again. */
  retries = 0;
  /** Ticks replaced by a newer one while the queue was under pressure. */
  conflated = 0;
  /** Ticks not taken, because there was no room or no connection. */
  shed = 0;
  /** Ticks given up after they had been taken, or lost by Redis after it had confirmed them. */
  lost = 0;
  /** By the first word of Redis' answer, or `CONNECTION` when none came. */
  readonly errorsByCode: Map<string, number> = new Map();
  readonly ackLatencyMs: AckLatency = new AckLatency();

  countError(code: string): void {
    this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + 1);
  }
}
