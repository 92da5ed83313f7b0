import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { eventually } from '../support/eventually.ts';
import { ticklineMain } from './support/run-tickline.ts';
import { TopicWriter } from './support/topic-writer.ts';
import { writeTrades } from './support/trade-flow.ts';

const START = Math.floor(Date.now() / 1000 - 3600) * 1_000_000;
const STEP = 100;
const MIB = 1024 * 1024;

let stack: Stack;
let writer: TopicWriter;

beforeAll(async () => {
  stack = await startStack({ brokers: 3 });
  writer = await TopicWriter.open(stack);
});

afterAll(async () => {
  await writer?.close();
  await stack?.stop();
});

/** A topic `trades` of a prefix with so many trades. `copies`: brokers that have each partition. */
async function filled(topicPrefix: string, partitions: number, copies: 1 | 2, count: number) {
  const topic = `${topicPrefix}trades`;
  await writer.admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        replicaAssignment: Array.from({ length: partitions }, (_, partition) => ({
          partition,
          replicas: [1 + (partition % 3), 1 + ((partition + 1) % 3)].slice(0, copies),
        })),
        configEntries: [{ name: 'min.insync.replicas', value: '1' }],
      },
    ],
  });
  const schemaId = await writer.registerOurs(topic, 'trades');
  await writeTrades(stack, { topicPrefix, schemaId, count, start: START, step: STEP });
  return topic;
}

function replay(topicPrefix: string): string[] {
  const connection = ['--kafka.brokers', stack.brokers.join(','), '--registry.url', stack.registryUrl];
  return [
    ticklineMain,
    'replay',
    'trades',
    '--speed',
    'max',
    '--kafka.topicPrefix',
    topicPrefix,
    ...connection,
  ];
}

describe('two million trades', () => {
  it('are replayed with memory that does not grow with them', async () => {
    const [few, many] = [200_000, 2_000_000];
    await filled('few.', 4, 1, few);
    await filled('many.', 4, 1, many);
    const short = await peakOf('few.', few);
    const long = await peakOf('many.', many);
    // Beside Node itself: what is fetched ahead (16 MiB), five seconds that wait for their order, garbage.
    expect(long).toBeLessThan(350 * MIB);
    // Ten times as many; the trades themselves are some 300 MiB.
    expect(long).toBeLessThan(short + 128 * MIB);
  });

  /** Replays to /dev/null; the largest resident set in bytes. */
  async function peakOf(prefix: string, count: number): Promise<number> {
    const nowhere = openSync('/dev/null', 'w');
    const child = spawn(process.execPath, replay(prefix), { stdio: ['ignore', nowhere, 'pipe'] });
    let stderr = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    let peak = 0;
    const watch = setInterval(() => {
      try {
        // As Linux keeps it (proc(5), VmHWM): no peak between two looks is missed.
        const [, kilobytes] =
          /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
        peak = Math.max(peak, Number(kilobytes ?? 0) * 1024);
      } catch {
        // It has just ended: what was read before stands.
      }
    }, 10);
    const code = await new Promise((done) => child.once('close', done));
    clearInterval(watch);
    closeSync(nowhere);
    expect(stderr).toMatch(
      new RegExp(`^replayed ${count.toLocaleString('en')} records in [^,]*, 0 others passed over\n$`),
    );
    expect(code).toBe(0);
    expect(peak).toBeGreaterThan(0);
    return peak;
  }
});

describe('leaders that move while a topic is read', () => {
  it('cost no trade, repeat none and change no order; nor does a broker that is killed', async () => {
    const count = 600_000;
    const topic = await filled('moved.', 6, 2, count);
    const child = spawn(process.execPath, replay('moved.'), { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const finished = new Promise((done) => child.once('close', done));
    // Nobody reads: the command stands in the middle of the topic until its output goes on.
    await eventually('the first trades', () => child.stdout!.readableLength > 0);
    const before = await placesIn(topic);
    await writer.admin.alterPartitionReassignments({
      topics: [
        {
          topic,
          partitionAssignment: before.map(({ leader }, partition) => ({
            partition,
            replicas: [1 + (leader % 3), 1 + ((leader + 1) % 3)],
          })),
        },
      ],
    });
    await eventually('all leaders have moved', async () =>
      (await placesIn(topic)).every(
        ({ leader, inSync }, partition) => leader > 0 && leader !== before[partition]!.leader && inSync === 2,
      ),
    );
    let lines = 0;
    let isKilled = false;
    for await (const line of createInterface({ input: child.stdout! })) {
      const time = Number(/"receiveTime":(\d+)/.exec(line)?.[1]);
      if (time !== START + lines * STEP) throw new Error(`line ${lines} is ${line}`);
      lines++;
      if (isKilled || lines < count / 2) continue;
      isKilled = true;
      await stack.broker(2).stop('SIGKILL');
    }
    expect([lines, await finished]).toEqual([count, 0]);
    expect(isKilled).toBe(true);
    expect(stderr).toMatch(/^replayed 600,000 records in [^,]*, 0 others passed over\n$/);
  });

  async function placesIn(topic: string): Promise<{ leader: number; inSync: number }[]> {
    const { topics } = await writer.admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]!.partitions
      .sort((a, b) => a.partitionId - b.partitionId)
      .map(({ leader, isr }) => ({ leader, inSync: isr.length }));
  }
});
