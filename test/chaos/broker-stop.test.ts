import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const RATE = 10_000;

let stack: Stack;
let simulators: Simulator[] = [];
let pod: Pod | undefined;

beforeAll(async () => {
  stack = await startStack();
});

afterEach(async () => {
  pod?.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
});

afterAll(async () => {
  await stack?.stop();
});

/** A pod under load, settled, with topics of its own. */
async function podUnderLoad(prefix: string): Promise<Pod> {
  simulators = await startSimulators({ symbols: 50, rate: RATE });
  // Room for as long as a broker may take to start on a busy machine: nothing may conflate here.
  const options = { stack, simulators, prefix, flags: [`--kafka.queueBytes=${512 * 1024 * 1024}`] };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  return pod;
}

async function moreTicks(count: number): Promise<void> {
  const goal = ticksWritten(simulators) + count;
  await eventually(`${count} more ticks`, () => ticksWritten(simulators) >= goal);
}

async function moreAcknowledged(running: Pod, count: number): Promise<void> {
  const { sinks } = await running.status();
  const goal = sinks[0]!.acknowledged + count;
  await running.until(`${count} more acknowledged`, (now) => now.sinks[0]!.acknowledged >= goal);
}

describe(`the broker goes away at ${RATE.toLocaleString('en')} messages a second`, () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'and comes back after %s: nothing lost, nothing twice, order kept',
    async (signal) => {
      const prefix = `${signal.toLowerCase()}.`;
      const running = await podUnderLoad(prefix);
      await moreAcknowledged(running, RATE);
      await stack.broker(0).stop(signal);
      const before = await running.status();
      await moreTicks(2 * RATE);
      const { sinks } = await running.until(
        'the sink says that the broker is gone',
        ({ sinks }) => sinks[0]!.detail !== null,
      );
      // It waits, and says so: nothing is acknowledged without a broker.
      expect(sinks[0]).toMatchObject({ acknowledged: before.sinks[0]!.acknowledged, dropped: 0 });
      expect(sinks[0]!.queuedRecords).toBeGreaterThan(RATE);
      await stack.broker(0).start();
      await running.until(
        'the queue is empty again',
        ({ sinks }) => sinks[0]!.queuedRecords < RATE && sinks[0]!.detail === null,
      );
      await moreAcknowledged(running, RATE);
      stopMarkets(simulators);
      expect(await running.stop()).toBe(0);

      const channels = await readBack(stack, simulators, prefix);
      expect(troublesOf(channels)).toEqual([]);
      expect(matchedIn(channels)).toBeGreaterThan(5 * RATE);
      const records = channels.flatMap(({ records }) => records);
      expect(new Set(records.map(({ producer }) => producer)).size).toBe(1);
      expect(records.every(({ conflated }) => conflated === 0)).toBe(true);
      const states = new Set((await readRecords(stack, 'status', prefix)).map(({ state }) => state));
      expect([...states].sort()).toEqual(['acknowledged', 'live']);
    },
  );

  it('is not needed twice: with the registry gone the flow goes on', async () => {
    const running = await podUnderLoad('registry.');
    await stack.registry.stop('SIGKILL');
    // The broker too: what is opened anew must not ask the registry.
    await stack.broker(0).stop('SIGKILL');
    await stack.broker(0).start();
    await moreAcknowledged(running, 3 * RATE);
    stopMarkets(simulators);
    expect(await running.stop()).toBe(0);
    await stack.registry.start();
    expect(troublesOf(await readBack(stack, simulators, 'registry.'))).toEqual([]);
  });
});
