import { AckLatency } from '../acknowledgement-latency.ts';

/** Plain counts that only grow, for whoever makes metrics of them. */
export class KafkaCounters {
  /** Records acknowledged. */
  records = 0;
  /** Bytes of the batches acknowledged, as sent. */
  bytes = 0;
  /** Batches acknowledged. */
  batches = 0;
  /** Produce requests sent. */
  requests = 0;
  /** Batches sent again. */
  retries = 0;
  /** New producer ids taken because a broker did not know our sequence numbers. */
  newIdentities = 0;
  /** Ticks replaced by a newer one while the queue was under pressure. */
  conflated = 0;
  /** Ticks not taken, because there was no room. */
  shed = 0;
  /** Ticks given up after they had been taken; each was told by `lost`. */
  lost = 0;
  /** Ticks that may be in the topic twice; each was told by `repeated`. */
  repeated = 0;
  deadLettersDropped = 0;
  /** By the protocol's name, or `CONNECTION` when no answer came. */
  readonly errorsByCode: Map<string, number> = new Map();
  readonly ackLatencyMs: AckLatency = new AckLatency();

  countError(name: string): void {
    this.errorsByCode.set(name, (this.errorsByCode.get(name) ?? 0) + 1);
  }
}
