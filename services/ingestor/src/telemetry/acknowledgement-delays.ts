import type { SinkStatus } from '@tickline/schemas';
import type { SinkReading } from '../sinks/sink.ts';
import { IntervalQuantiles } from './interval-quantiles.ts';

/** Adds to the status of each sink how long its acknowledgements took of late, from what the sink counts. */
export class AcknowledgementDelays {
  private readonly intervalMs: number;
  private readonly bySink = new Map<string, IntervalQuantiles>();

  /** `intervalMs`: the answer covers between one and two of it, see {@link IntervalQuantiles}. */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** The statuses, with the delay of those that count it. `nowMs` is of a monotonic clock. */
  with(statuses: readonly SinkStatus[], readings: readonly SinkReading[], nowMs: number): SinkStatus[] {
    return statuses.map((status) => {
      const reading = readings.find(({ sink }) => sink === status.sink);
      return { ...status, acknowledgementMs: reading === undefined ? null : this.read(reading, nowMs) };
    });
  }

  private read({ sink, ackLatencyMs }: SinkReading, nowMs: number) {
    let quantiles = this.bySink.get(sink);
    if (quantiles === undefined) {
      // A sink's counts are one object for its life: what is held here goes on to count.
      quantiles = new IntervalQuantiles(ackLatencyMs, this.intervalMs, nowMs);
      this.bySink.set(sink, quantiles);
    }
    return quantiles.read(nowMs);
  }
}
