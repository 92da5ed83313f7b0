import { invalidKey } from '@tickline/schemas';
import type { Clock } from '../clock.ts';
import type { DeadLetter } from '../sink.ts';
import type { KafkaCounters } from './counters.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { encodeHeaders, encodeKeyField, NO_STREAM } from './record-batch.ts';

/** Longer frames are cut, and a header says so: a broker takes a megabyte in one batch. */
const MAX_FRAME_BYTES = 512 * 1024;
/** What dead letters may hold of a partition's queue: they are for people, ticks go before. */
const MAX_QUEUED_BYTES = 2 * 1024 * 1024;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Writes frames that were not understood to their topic, so many a second and exchange. */
export class DeadLetters {
  private readonly perSecond: number;
  private readonly clock: Clock;
  private readonly counters: KafkaCounters;
  private readonly partitionFor: (key: Uint8Array) => PartitionQueue;
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    perSecond: number,
    clock: Clock,
    counters: KafkaCounters,
    partitionFor: (key: Uint8Array) => PartitionQueue,
  ) {
    this.perSecond = perSecond;
    this.clock = clock;
    this.counters = counters;
    this.partitionFor = partitionFor;
  }

  write(letter: DeadLetter): void {
    if (!this.admits(letter.exchange) || !this.append(letter)) this.counters.deadLettersDropped++;
  }

  private append(letter: DeadLetter): boolean {
    const { frame, exchange, reason, stage, detail, session } = letter;
    const key = Buffer.from(invalidKey(exchange));
    const partition = this.partitionFor(key);
    const value = frame.subarray(0, MAX_FRAME_BYTES);
    if (partition.bytesHeld + value.length > MAX_QUEUED_BYTES) return false;
    const headers = encodeHeaders({
      reason,
      stage,
      detail,
      session,
      ...(frame.length > value.length ? { frameBytes: String(frame.length) } : {}),
    });
    const keyField = encodeKeyField(key);
    const batch = partition.roomFor(keyField.length + value.length + headers.length, false);
    return batch?.appendWithHeaders(keyField, value, headers, letter.timestampMs, NO_STREAM, 0) ?? false;
  }

  /** A token bucket for each exchange that holds one second's worth. */
  private admits(exchange: string): boolean {
    const now = this.clock.now();
    let bucket = this.buckets.get(exchange);
    if (bucket === undefined) {
      bucket = { tokens: this.perSecond, filledAt: now };
      this.buckets.set(exchange, bucket);
    }
    const earned = ((now - bucket.filledAt) / 1000) * this.perSecond;
    bucket.tokens = Math.min(this.perSecond, bucket.tokens + earned);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
