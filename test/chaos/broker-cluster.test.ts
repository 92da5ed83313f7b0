import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { type Pod, provision, startPod } from '../support/pod.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const RATE = 10_000;

let stack: Stack;
let simulators: Simulator[];
let pod: Pod;

beforeAll(async () => {
  stack = await startStack({ brokers: 3 });
  simulators = await startSimulators({ symbols: 50, rate: RATE });
  const options = { stack, simulators, flags: [`--kafka.queueBytes=${512 * 1024 * 1024}`] };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
});

afterAll(async () => {
  pod?.process.kill();
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
});

async function moreAcknowledged(count: number): Promise<void> {
  const goal = (await pod.status()).sinks[0]!.acknowledged + count;
  await pod.until(`${count} more acknowledged`, ({ sinks }) => sinks[0]!.acknowledged >= goal);
}

describe(`one of three brokers is killed at ${RATE.toLocaleString('en')} messages a second`, () => {
  it('the others take over and it returns: nothing lost, nothing twice, order kept', async () => {
    await moreAcknowledged(RATE);
    for (const victim of [0, 2]) {
      await stack.broker(victim).stop('SIGKILL');
      // The queue empties while the broker is dead: its partitions have other leaders now.
      await pod.until(
        'the sink says that a broker is gone',
        ({ sinks }) => sinks[0]!.detail !== null && sinks[0]!.queuedRecords > RATE / 2,
      );
      await pod.until(
        'the queue is empty again',
        ({ sinks }) => sinks[0]!.detail === null && sinks[0]!.queuedRecords < RATE / 2,
      );
      await moreAcknowledged(RATE);
      await stack.broker(victim).start();
      await moreAcknowledged(RATE);
    }
    stopMarkets(simulators);
    expect(await pod.stop()).toBe(0);

    const channels = await readBack(stack, simulators, 'md.');
    expect(troublesOf(channels)).toEqual([]);
    expect(matchedIn(channels)).toBeGreaterThan(5 * RATE);
    expect(channels.flatMap(({ records }) => records).every(({ conflated }) => conflated === 0)).toBe(true);
    const states = new Set((await readRecords(stack, 'status')).map(({ state }) => state));
    expect([...states].sort()).toEqual(['acknowledged', 'live']);
  });
});
