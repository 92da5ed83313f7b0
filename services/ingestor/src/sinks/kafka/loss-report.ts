import type { SinkLoss, StreamDescriptor } from '../sink.ts';
import type { KafkaStream } from './kafka-stream.ts';
import type { RecordBatch } from './record-batch.ts';

interface Range {
  first: number;
  last: number;
  count: number;
}

/** Gathers by stream which ticks were lost or repeated, and tells each stream's once. */
export class LossReport {
  /** Records that belong to no stream: dead letters. */
  deadLetters = 0;
  private readonly ranges = new Map<KafkaStream, Range>();

  /** All records of a batch. */
  addBatch(batch: RecordBatch, streams: readonly KafkaStream[]): void {
    for (let ordinal = 0; ordinal < batch.count; ordinal++) {
      const stream = streams[batch.streamOf(ordinal)];
      if (stream === undefined) {
        this.deadLetters++;
        continue;
      }
      const last = batch.sequenceOf(ordinal);
      this.add(stream, last - batch.conflatedOf(ordinal), last);
    }
  }

  /** Ticks of a stream by their sequence numbers, inclusive. */
  add(stream: KafkaStream, first: number, last: number): void {
    const range = this.ranges.get(stream);
    if (range === undefined) {
      this.ranges.set(stream, { first, last, count: last - first + 1 });
      return;
    }
    range.first = Math.min(range.first, first);
    range.last = Math.max(range.last, last);
    range.count += last - first + 1;
  }

  /** Calls `tell` for each stream; returns how many ticks that were. */
  tell(reason: string, tell: (stream: StreamDescriptor, loss: SinkLoss) => void): number {
    let ticks = 0;
    for (const [stream, { first, last, count }] of this.ranges) {
      ticks += count;
      tell(stream.descriptor, { firstSequence: first, lastSequence: last, count, reason });
    }
    return ticks;
  }
}
