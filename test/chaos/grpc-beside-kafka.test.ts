import { status as codes } from '@grpc/grpc-js';
import type { PodStatus, SinkStatus } from '@tickline/schemas';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../scripts/stack/free-port.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { StreamReader, stubOf } from '../../services/ingestor/src/sinks/grpc/testing/stream-reader.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { readBack, troublesOf } from '../support/read-back.ts';
import { startMarkets, startSimulators, stopMarkets } from '../support/simulators.ts';

const MIB = 1024 * 1024;
const RATE = 6_000;
/** What a pod may take besides its queues (the start line prints the sum of both as memoryBoundBytes). */
const BASE_BYTES = 300 * MIB;
const QUEUE_BYTES = (128 + 64) * MIB;

let stack: Stack;
let simulators: Simulator[] = [];
let pod: Pod | undefined;
let stub: ReturnType<typeof stubOf> | undefined;

beforeAll(async () => {
  stack = await startStack();
  simulators = await startSimulators({ symbols: 25, rate: RATE, tradeShare: 0.5, start: 'manual' });
});

afterAll(async () => {
  stub?.close();
  pod?.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
  await stack?.stop();
});

function sinkOf({ sinks }: PodStatus, name: string): SinkStatus {
  return sinks.find(({ sink }) => sink === name)!;
}

it('a client that stops reading is ended; Kafka misses nothing, its queue does not grow, memory is bounded', async () => {
  const port = await freePort();
  const options: PodOptions = {
    stack,
    simulators,
    flags: ['--grpc.enabled=true', `--grpc.port=${port}`, '--grpc.clientQueueBytes=256KiB'],
  };
  await provision(options);
  pod = await startPod(options);
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  stub = stubOf(`127.0.0.1:${port}`);
  const stalled = await StreamReader.open(stub, { symbols: ['*'] });
  stalled.call.pause();

  startMarkets(simulators);
  let [kafkaQueued, rss] = [0, 0];
  const watched = (holds: (now: PodStatus) => boolean) => (now: PodStatus) => {
    kafkaQueued = Math.max(kafkaQueued, sinkOf(now, 'kafka').queuedRecords);
    rss = Math.max(rss, now.rssBytes);
    return holds(now);
  };
  await pod.until(
    'the stalled client is given up',
    watched((now) => sinkOf(now, 'grpc').dropped > 0),
  );
  const ended = await pod.status();
  const goesOn = sinkOf(ended, 'kafka').acknowledged + 3 * RATE;
  await pod.until(
    'Kafka goes on',
    watched((now) => sinkOf(now, 'kafka').acknowledged > goesOn),
  );
  stopMarkets(simulators);

  // Below two seconds of the flow at any time.
  expect(kafkaQueued).toBeLessThan(2 * RATE);
  expect(rss).toBeLessThan(BASE_BYTES + QUEUE_BYTES);
  stalled.call.resume();
  expect((await stalled.ended).code).toBe(codes.RESOURCE_EXHAUSTED);
  expect(await pod.stop()).toBe(0);
  expect(troublesOf(await readBack(stack, simulators, 'md.'))).toEqual([]);
});
