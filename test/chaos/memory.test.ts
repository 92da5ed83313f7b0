import { existsSync, readFileSync } from 'node:fs';
import type { Quote, Status, Trade } from '@tickline/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { type ChannelReadBack, holesOf, mistakesOf, readBack } from '../support/read-back.ts';
import { runsMissing, runsTold, symbolsOf } from '../support/shed-runs.ts';
import { startSimulators, stopMarkets, ticksWritten, violationsOf } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const MIB = 1024 * 1024;
const QUEUE_BYTES = 64 * MIB;
const MAX_PAUSE_MS = 1_000;
/** As many frames a second as a simulator keeps up with beside the others in one process. */
const FULL_SPEED = 20_000;

let stack: Stack;
let simulators: Simulator[];
let pod: Pod;
let peakRssBytes: number;
let channels: ChannelReadBack[];
let status: Status[];
let dropped: number;

beforeAll(async () => {
  stack = await startStack();
  // On a machine that is too slow for the speed, frames wait in the simulators: no reason to cut us off.
  const limits = { outboundBytes: Number.POSITIVE_INFINITY };
  simulators = await startSimulators({ symbols: 50, rate: 4_000, tradeShare: 0.5, limits });
  const flags = [`--kafka.queueBytes=${QUEUE_BYTES}`, `--maxPauseMs=${MAX_PAUSE_MS}`];
  const options = { stack, simulators, flags };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  await stack.broker(0).stop('SIGKILL');
  for (const simulator of simulators) simulator.setRate(FULL_SPEED);
  await pod.until('thousands of trades were shed', ({ sinks }) => sinks[0]!.dropped > 20_000);
  for (const simulator of simulators) simulator.setRate(500);
  await stack.broker(0).start();
  await pod.until(
    'the queue is empty again',
    ({ sinks }) => sinks[0]!.detail === null && sinks[0]!.queuedRecords < 1_000,
  );
  const goal = ticksWritten(simulators) + 10_000;
  await eventually('the flow goes on', () => ticksWritten(simulators) >= goal);
  stopMarkets(simulators);
  peakRssBytes = peakRssOf(pod.process.pid);
  dropped = (await pod.status()).sinks[0]!.dropped;
  expect(await pod.stop()).toBe(0);
  channels = await readBack(stack, simulators, 'md.');
  status = await readRecords(stack, 'status');
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

/** The largest resident set that a process ever had, as Linux keeps it (proc(5), VmHWM). */
function peakRssOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}

const of = (channel: 'trades' | 'quotes') => channels.filter((each) => each.channel === channel);

function idOf(record: Trade | Quote): string | number | null {
  return ('tradeId' in record ? record.tradeId : record.updateId) ?? record.exchangeTime;
}

describe.runIf(existsSync('/proc/self/status'))(
  'the broker is away, at full speed, until the queue is full',
  () => {
    it('takes no more memory than it said at the start', () => {
      const starting = pod.log().find(({ event }) => event === 'starting')!;
      const bound = 300 * MIB + QUEUE_BYTES;
      expect(starting.data).toMatchObject({ queueBytes: QUEUE_BYTES, memoryBoundBytes: bound });
      expect(peakRssBytes).toBeLessThan(bound);
      expect(violationsOf(simulators)).toEqual([]);
    });

    it('writes what it has without a mistake, and goes on afterwards in the same sessions', () => {
      expect(mistakesOf(channels)).toEqual([]);
      for (const { records } of channels) expect(new Set(records.map(({ session }) => session)).size).toBe(1);
      for (const channel of ['trades', 'quotes'] as const) {
        for (const { written, read } of symbolsOf(of(channel))) {
          expect(read.map(idOf)).toEqual(
            read.map(({ sequence }) => written[sequence - 1]!.id ?? written[sequence - 1]!.exchangeTime),
          );
          // The last that was written is there: nothing was shed any more.
          expect(read.at(-1)!.sequence).toBe(written.length);
        }
      }
      const states = new Set(status.map(({ state }) => state));
      expect([...states].sort()).toEqual(['acknowledged', 'gap', 'live', 'shedding']);
    });

    it('conflates quotes: every one is written or stood for', () => {
      expect(holesOf(of('quotes').flatMap(({ records }) => records))).toEqual([]);
      let stoodFor = 0;
      for (const { written, read } of symbolsOf(of('quotes'))) {
        const conflated = read.reduce((sum, each) => sum + each.conflated, 0);
        expect(read.length + conflated).toBe(written.length);
        stoodFor += conflated;
      }
      expect(stoodFor).toBeGreaterThan(10_000);
      expect(
        of('trades')
          .flatMap(({ records }) => records)
          .every(({ conflated }) => conflated === 0),
      ).toBe(true);
      expect(status.filter(({ state, channel }) => state === 'gap' && channel === 'quotes')).toEqual([]);
    });

    it('sheds trades, and tells of each run the first id, the last one and how many', () => {
      const gaps = status.filter(({ state }) => state === 'gap');
      expect(runsTold(status)).toEqual(runsMissing(of('trades')));
      expect(gaps.every(({ reason }) => reason.startsWith('queue full'))).toBe(true);
      expect(gaps.reduce((sum, { count }) => sum + count!, 0)).toBe(dropped);
    });

    it('sheds only after the exchanges were made to wait', () => {
      const full = pod.log().filter(({ event }) => event === 'queue-full');
      const drained = pod.log().filter(({ event }) => event === 'queue-drained');
      expect(full.length).toBe(1);
      expect(drained.length).toBe(1);
      const firstShed = Math.min(
        ...status.flatMap(({ state, firstTime }) => (state === 'gap' ? [firstTime!] : [])),
      );
      // Two clocks of one machine, the pod's set once at its start.
      expect(firstShed / 1000).toBeGreaterThan(Date.parse(String(full[0]!.timestamp)) + MAX_PAUSE_MS - 100);
    });
  },
);
