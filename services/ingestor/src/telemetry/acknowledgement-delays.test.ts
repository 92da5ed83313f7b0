import type { SinkStatus } from '@tickline/schemas';
import { expect, it } from 'vitest';
import type { SinkReading } from '../sinks/sink.ts';
import { AcknowledgementDelays } from './acknowledgement-delays.ts';

const status = (sink: string): SinkStatus => ({
  sink,
  healthy: true,
  detail: null,
  queuedRecords: 0,
  queuedBytes: 0,
  queueLimitBytes: 1,
  acknowledged: 0,
  dropped: 0,
});

it('tells the recent delay of each sink that counts, and null of the others', () => {
  const counts = [0, 0, 0];
  const reading: SinkReading = {
    sink: 'kafka',
    queuedRecords: 0,
    queuedBytes: 0,
    queueLimitBytes: 1,
    acknowledged: 0,
    retries: 0,
    errorsByCode: new Map(),
    ackLatencyMs: { bounds: [1, 10], counts, sum: 0 },
    conflated: 0,
    shed: 0,
    deadLettersDropped: 0,
  };
  const delays = new AcknowledgementDelays(10);
  const read = (now: number) =>
    delays.with([status('kafka'), status('other')], [reading], now).map((each) => each.acknowledgementMs);
  expect(read(0)).toEqual([null, null]);
  counts[0] = 100;
  expect(read(1)).toEqual([{ p50: 0.5, p99: 0.99 }, null]);
  // Two intervals later those are forgotten, and only what came since counts.
  read(11);
  expect(read(21)).toEqual([null, null]);
  counts[1] = 100;
  expect(read(22)).toEqual([{ p50: 5.5, p99: 9.91 }, null]);
});
