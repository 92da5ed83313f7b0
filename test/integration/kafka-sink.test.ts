import { partitionOf } from '@tickline/schemas';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { waitUntil } from '../../scripts/stack/wait-until.ts';
import { BridgeError, type KafkaBridge } from '../../services/ingestor/src/sinks/kafka/bridge.ts';
import { KafkaSink } from '../../services/ingestor/src/sinks/kafka/kafka-sink.ts';
import { KafkajsBridge } from '../../services/ingestor/src/sinks/kafka/kafkajs-bridge.ts';
import { type KafkaSinkOptions, withDefaults } from '../../services/ingestor/src/sinks/kafka/options.ts';
import { TickLoad } from '../../services/ingestor/src/sinks/kafka/testing/tick-load.ts';
import { readTopic, sequencesByKey } from '../../services/ingestor/src/sinks/kafka/testing/topic-reader.ts';
import type { SinkListener, SinkLoss } from '../../services/ingestor/src/sinks/sink.ts';
import { SILENT_LOG } from '../../services/ingestor/src/sinks/sink-log.ts';
import { eventually } from '../support/eventually.ts';

const PARTITIONS = 6;
const RATE = 10_000;

let stack: Stack;
let admin: kafkajs.Admin;
let runs = 0;
const open: KafkaSink[] = [];

beforeAll(async () => {
  stack = await startStack({ registry: false });
  admin = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((sink) => sink.close()));
});

afterAll(async () => {
  await admin.disconnect();
  await stack.stop();
});

class Told implements SinkListener {
  readonly lost_: (SinkLoss & { key: string })[] = [];
  readonly repeated_: (SinkLoss & { key: string })[] = [];
  readonly calls: string[] = [];

  full(): void {
    this.calls.push('full');
  }

  drained(): void {
    this.calls.push('drained');
  }

  lost({ key }: { key: string }, loss: SinkLoss): void {
    this.lost_.push({ key, ...loss });
  }

  repeated({ key }: { key: string }, loss: SinkLoss): void {
    this.repeated_.push({ key, ...loss });
  }
}

/** Topics of their own for each test. */
async function prefixWithTopics(config: Record<string, string> = {}): Promise<string> {
  const prefix = `run${++runs}.`;
  await createTopics(prefix, ['trades', 'quotes', 'status', 'invalid'], config);
  return prefix;
}

async function createTopics(prefix: string, topics: string[], config: Record<string, string> = {}) {
  await admin.createTopics({
    waitForLeaders: false,
    topics: topics.map((topic) => ({
      topic: `${prefix}${topic}`,
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
  });
  // Answered before the broker knows that it leads them: on a busy machine a while before.
  for (const topic of topics) {
    await eventually('the topic is served', () => admin.fetchTopicOffsets(`${prefix}${topic}`));
  }
}

function sinkFor(
  topicPrefix: string,
  given: Partial<KafkaSinkOptions> = {},
  wrap: (bridge: KafkaBridge) => KafkaBridge = (bridge) => bridge,
): KafkaSink {
  const options: KafkaSinkOptions = {
    brokers: stack.brokers,
    clientId: 'kafka-sink-test',
    access: () => ({ ssl: null, sasl: null }),
    topicPrefix,
    log: SILENT_LOG,
    ...given,
  };
  const sink = new KafkaSink(options, wrap(new KafkajsBridge(withDefaults(options))));
  open.push(sink);
  return sink;
}

function acknowledged(sink: KafkaSink, records: number): Promise<true> {
  return waitUntil(async () => sink.counters.records >= records || undefined, {
    what: `${records} records to be acknowledged`,
    timeoutMs: 60_000,
    everyMs: 20,
  });
}

async function expectAllOnceInOrder(prefix: string, load: TickLoad): Promise<void> {
  const read = sequencesByKey(await readTopic(stack.brokers, `${prefix}trades`));
  expect(load.refused).toBe(0);
  expect(read.size).toBe(load.given.size);
  for (const [key, given] of load.given) {
    const sequences = read.get(key)!;
    expect(sequences.length, key).toBe(given);
    expect(
      sequences.every((sequence, index) => sequence === index + 1),
      `${key} in order`,
    ).toBe(true);
  }
}

/** A bridge whose produce is replaced; the rest is as it was. */
function withProduce(
  bridge: KafkaBridge,
  produce: (through: KafkaBridge['produce']) => KafkaBridge['produce'],
): KafkaBridge {
  return {
    metadata: (topics) => bridge.metadata(topics),
    initProducerId: () => bridge.initProducerId(),
    produce: produce((nodeId, body) => bridge.produce(nodeId, body)),
    close: () => bridge.close(),
  };
}

describe('what was sent is what is read', () => {
  it.each(['none', 'zstd'] as const)('with compression %s', async (compression) => {
    const prefix = await prefixWithTopics();
    const sink = sinkFor(prefix, { compression });
    await sink.start(new Told());
    const load = new TickLoad(sink, 50);
    const before = Date.now();
    for (let round = 0; round < 20; round++) {
      load.give(1_000);
      await acknowledged(sink, (round + 1) * 500);
    }
    expect(await sink.flush(30_000)).toBe(true);
    expect(sink.status()).toMatchObject({
      healthy: true,
      acknowledged: 20_000,
      queuedRecords: 0,
      queuedBytes: 0,
    });
    await expectAllOnceInOrder(prefix, load);

    const records = await readTopic(stack.brokers, `${prefix}trades`);
    const javaPartitioner = kafkajs.Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [1],
      isr: [1],
    }));
    for (const { key, partition, value, timestamp } of records) {
      expect(partition).toBe(partitionOf(Buffer.from(key), PARTITIONS));
      expect(partition).toBe(
        javaPartitioner({ topic: '', partitionMetadata, message: { key, value: null } }),
      );
      expect(value.length).toBe(170);
      expect(value[169]).toBe(0x55);
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
    }
  });

  it('also dead letters with their headers', async () => {
    const prefix = await prefixWithTopics();
    const sink = sinkFor(prefix);
    await sink.start(new Told());
    sink.deadLetter({
      exchange: 'kraken',
      frame: Buffer.from('{"channel":"trade"'),
      stage: 'decode',
      reason: 'not-json',
      detail: 'ended at 18',
      session: 'abc',
      timestampMs: Date.now(),
    });
    expect(await sink.flush(10_000)).toBe(true);
    expect(await readTopic(stack.brokers, `${prefix}invalid`)).toMatchObject([
      {
        key: 'kraken',
        value: Buffer.from('{"channel":"trade"'),
        headers: { stage: 'decode', reason: 'not-json', detail: 'ended at 18', session: 'abc' },
      },
    ]);
  });
});

describe('a broker that goes away under load', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s: nothing lost, nothing twice, order kept',
    async (signal) => {
      const prefix = await prefixWithTopics();
      const sink = sinkFor(prefix);
      const told = new Told();
      await sink.start(told);
      const load = new TickLoad(sink, 100);
      load.start(RATE);
      try {
        await acknowledged(sink, RATE);
        await stack.broker(0).stop(signal);
        const atStop = load.total;
        await waitUntil(async () => load.total > atStop + RATE || undefined, {
          what: 'a second of ticks while the broker is away',
          timeoutMs: 10_000,
        });
        await stack.broker(0).start();
        await acknowledged(sink, atStop + 2 * RATE);
      } finally {
        load.stop();
      }
      expect(await sink.flush(30_000)).toBe(true);
      expect([told.lost_, told.repeated_, told.calls]).toEqual([[], [], []]);
      expect(sink.counters.retries).toBeGreaterThan(0);
      await expectAllOnceInOrder(prefix, load);
    },
  );

  it('by standing still: the request times out, its repeat is recognised', async () => {
    const prefix = await prefixWithTopics();
    const sink = sinkFor(prefix, { requestTimeoutMs: 1_000 });
    const told = new Told();
    await sink.start(told);
    const load = new TickLoad(sink, 100);
    load.start(RATE);
    const pid = stack.broker(0).pid!;
    try {
      await acknowledged(sink, RATE);
      process.kill(pid, 'SIGSTOP');
      await waitUntil(async () => sink.status().healthy === false || undefined, {
        what: 'the sink to notice',
        timeoutMs: 20_000,
      });
      process.kill(pid, 'SIGCONT');
      await acknowledged(sink, load.total + RATE);
    } finally {
      process.kill(pid, 'SIGCONT');
      load.stop();
    }
    expect(await sink.flush(30_000)).toBe(true);
    expect([told.lost_, told.repeated_]).toEqual([[], []]);
    await expectAllOnceInOrder(prefix, load);
  });

  it('before the start: the sink waits for it', async () => {
    const prefix = await prefixWithTopics();
    await stack.broker(0).stop('SIGKILL');
    const lines: string[] = [];
    const line = (event: string) => lines.push(event);
    const sink = sinkFor(prefix, { log: { error: line, warn: line, info: line, debug() {} } });
    const starting = sink.start(new Told());
    await waitUntil(async () => lines.includes('kafka-unreachable') || undefined, {
      what: 'a line that Kafka is away',
      timeoutMs: 20_000,
    });
    await stack.broker(0).start();
    await starting;
    const load = new TickLoad(sink, 10);
    load.give(100);
    expect(await sink.flush(30_000)).toBe(true);
    await expectAllOnceInOrder(prefix, load);
  });
});

describe('answers', () => {
  it('that are lost: each batch is sent again and stands in the topic once', async () => {
    const prefix = await prefixWithTopics();
    let sent = 0;
    const sink = sinkFor(prefix, {}, (bridge) =>
      withProduce(bridge, (through) => async (nodeId, body) => {
        const answer = await through(nodeId, body);
        if (++sent % 3 === 0) throw new BridgeError('the answer was lost', { sent: true });
        return answer;
      }),
    );
    const told = new Told();
    await sink.start(told);
    const load = new TickLoad(sink, 50);
    load.start(RATE);
    await acknowledged(sink, 2 * RATE);
    load.stop();
    expect(await sink.flush(30_000)).toBe(true);
    expect(sink.counters.retries).toBeGreaterThan(20);
    expect([told.lost_, told.repeated_]).toEqual([[], []]);
    await expectAllOnceInOrder(prefix, load);
  });

  it('of a broker that misses a sequence number: on under a new producer id', async () => {
    const prefix = await prefixWithTopics();
    let good: Buffer = Buffer.alloc(0);
    let sent = 0;
    const sink = sinkFor(prefix, {}, (bridge) =>
      withProduce(bridge, (through) => async (nodeId, body) => {
        // The third request never arrives, and yet seems acknowledged.
        if (++sent === 3) return good;
        good = await through(nodeId, body);
        return good;
      }),
    );
    const told = new Told();
    await sink.start(told);
    const load = new TickLoad(sink, 1);
    for (let round = 1; round <= 6; round++) {
      load.give(10);
      expect(await sink.flush(30_000)).toBe(true);
    }
    expect(sink.counters.newIdentities).toBe(1);
    expect(sink.counters.errorsByCode.get('OUT_OF_ORDER_SEQUENCE_NUMBER')).toBe(1);
    const [sequences] = sequencesByKey(await readTopic(stack.brokers, `${prefix}trades`)).values();
    const expected = Array.from({ length: 60 }, (_, n) => n + 1).filter((n) => n <= 20 || n > 30);
    expect(sequences).toEqual(expected);
    expect(told.repeated_).toEqual([]);
  });
});

describe('refusals', () => {
  it('of a record that is too large: it alone is given up', async () => {
    const prefix = await prefixWithTopics({ 'max.message.bytes': '20000' });
    const sink = sinkFor(prefix);
    const told = new Told();
    await sink.start(told);
    const load = new TickLoad(sink, 1);
    load.give(500);
    load.give(1, 25_000);
    load.give(500);
    expect(await sink.flush(30_000)).toBe(true);
    const [sequences] = sequencesByKey(await readTopic(stack.brokers, `${prefix}trades`)).values();
    expect(sequences).toEqual(Array.from({ length: 1_001 }, (_, n) => n + 1).filter((n) => n !== 501));
    expect(told.lost_).toEqual([
      {
        key: 'S0-USDT',
        firstSequence: 501,
        lastSequence: 501,
        count: 1,
        reason: 'refused by Kafka: MESSAGE_TOO_LARGE',
      },
    ]);
    // What was learned holds: no further batch is too large.
    const refusals = sink.counters.errorsByCode.get('MESSAGE_TOO_LARGE');
    load.give(2_000);
    expect(await sink.flush(30_000)).toBe(true);
    expect(sink.counters.errorsByCode.get('MESSAGE_TOO_LARGE')).toBe(refusals);
  });

  it('of a start without its topics, by name', async () => {
    const sink = sinkFor('absent.');
    await expect(sink.start(new Told())).rejects.toThrow(
      /topic "absent\.trades" does not exist .*ingestor provision/,
    );
  });

  it('of a topic that vanishes: set aside and named, taken back when it is there again', async () => {
    const prefix = await prefixWithTopics();
    const sink = sinkFor(prefix, { unknownTopicMs: 500 });
    await sink.start(new Told());
    const trades = new TickLoad(sink, 10);
    const quotes = new TickLoad(sink, 10, 'quotes');
    trades.give(100);
    quotes.give(100);
    expect(await sink.flush(30_000)).toBe(true);
    await admin.deleteTopics({ topics: [`${prefix}trades`] });
    trades.give(100);
    await waitUntil(async () => sink.status().detail?.includes('UNKNOWN_TOPIC_OR_PARTITION') || undefined, {
      what: 'the partitions to be set aside',
      timeoutMs: 30_000,
    });
    expect(sink.status().healthy).toBe(false);
    quotes.give(100);
    await acknowledged(sink, 300);
    await createTopics(prefix, ['trades']);
    expect(await sink.flush(60_000)).toBe(true);
    expect(sink.status()).toMatchObject({ healthy: true, detail: null });
    expect(await readTopic(stack.brokers, `${prefix}trades`)).toHaveLength(100);
    expect(await readTopic(stack.brokers, `${prefix}quotes`)).toHaveLength(200);
  });
});
