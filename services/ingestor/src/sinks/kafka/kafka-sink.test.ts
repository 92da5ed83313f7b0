import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/virtual-clock.ts';
import { BridgeError } from './bridge.ts';
import { KafkaSinkError } from './kafka-sink.ts';
import { SinkHarness } from './testing/sink-harness.ts';

async function started(...given: ConstructorParameters<typeof SinkHarness>): Promise<SinkHarness> {
  const harness = new SinkHarness(...given);
  await harness.start();
  return harness;
}

function sequences(harness: SinkHarness, key: string, topic?: string): number[] {
  return harness.written(key, topic).map(({ sequence }) => sequence);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, n) => n + 1);
}

describe('start', () => {
  it('refuses a missing topic by name', async () => {
    const harness = new SinkHarness();
    harness.kafka.topics.delete('md.status');
    await expect(harness.start()).rejects.toThrow(
      new KafkaSinkError(
        'topic "md.status" does not exist on broker-1:9092: run `ingestor provision`, or correct kafka.topicPrefix',
      ),
    );
  });

  it('refuses a topic that we may not see', async () => {
    const harness = new SinkHarness();
    harness.kafka.topicError = (topic) => (topic === 'md.quotes' ? 29 : 0);
    await expect(harness.start()).rejects.toThrow(/kafka\.sasl .* may not see the topic md\.quotes .* Write/);
  });

  it('refuses a login that the brokers refuse', async () => {
    const harness = new SinkHarness();
    harness.kafka.metadata = async () => {
      throw new BridgeError('broker-1:9092 refuses kafka.sasl', { sent: true, setting: 'sasl' });
    };
    await expect(harness.start()).rejects.toThrow('broker-1:9092 refuses kafka.sasl');
  });

  it('refuses a topic that we may not write to, and a producer id that we may not have', async () => {
    const narrow = new SinkHarness();
    narrow.kafka.isWritable = (topic) => topic !== 'md.status';
    await expect(narrow.start()).rejects.toThrow(/may not write to the topic md\.status .* Write/);
    const nameless = new SinkHarness();
    nameless.kafka.initProducerId = async () => {
      throw new BridgeError('no producer id', { sent: true, setting: 'acl' });
    };
    await expect(nameless.start()).rejects.toThrow('no producer id');
  });

  it('waits for a cluster that is away, and logs changes only', async () => {
    const harness = new SinkHarness();
    let there = false;
    harness.kafka.reachable = () => there;
    let done = false;
    const starting = harness.sink.start(harness.listener).then(() => {
      done = true;
    });
    await harness.clock.advance(60_000);
    expect(done).toBe(false);
    there = true;
    await harness.clock.advance(3_000);
    await starting;
    expect(harness.lines).toEqual([
      'kafka-unreachable: waiting for Kafka (metadata): nobody there',
      'kafka-reached: Kafka answers (metadata)',
    ]);
    expect(harness.sink.status().healthy).toBe(true);
  });

  it('ends when it is closed meanwhile', async () => {
    const harness = new SinkHarness();
    harness.kafka.reachable = () => false;
    const starting = expect(harness.sink.start(harness.listener)).rejects.toThrow(/closed/);
    await harness.clock.advance(1_000);
    await harness.close();
    await starting;
  });

  it('starts nothing when the last answer comes as it is closed', async () => {
    const harness = new SinkHarness();
    const started = harness.sink.start(harness.listener);
    const refused = expect(started).rejects.toThrow('closed');
    await harness.clock.advance(1);
    expect(harness.kafka.producerIds).toBe(0);
    await harness.sink.close();
    await harness.clock.advance(10);
    expect(harness.kafka.producerIds).toBe(1);
    await refused;
    expect(harness.sink.status().detail).toBe('not started');
  });
});

describe('the flow', () => {
  it('lets a record wait for others no longer than the linger', async () => {
    const harness = await started({ lingerMs: 5 });
    harness.append('BTC-USDT');
    await harness.clock.advance(4.9);
    expect(harness.kafka.requests).toBe(0);
    harness.append('BTC-USDT');
    await harness.clock.advance(0.2);
    expect(harness.kafka.requests).toBe(1);
    await harness.clock.advance(1);
    expect(sequences(harness, 'BTC-USDT')).toEqual([1, 2]);
  });

  it('does not linger when enough waits behind a request', async () => {
    const harness = await started({ lingerMs: 1_000 }, 1);
    harness.kafka.carriage = () => ({ kind: 'answer', delayMs: 10 });
    harness.append('BTC-USDT');
    await harness.clock.advance(1_000);
    expect(harness.kafka.requests).toBe(1);
    for (let n = 0; n < 70; n++) harness.append('BTC-USDT', 'trades', 1_000);
    await harness.clock.advance(9);
    expect(harness.kafka.requests).toBe(1);
    await harness.clock.advance(2);
    expect(harness.kafka.requests).toBe(2);
  });

  it('sends all partitions of a broker in one request, and to each broker its own', async () => {
    const harness = new SinkHarness({}, 4);
    harness.kafka.brokers = [1, 2];
    harness.kafka.leaderOf = (_topic, partition) => 1 + (partition % 2);
    await harness.start();
    for (let n = 0; n < 40; n++) harness.append(`S${n}`);
    expect(await harness.flush()).toBe(true);
    expect(harness.kafka.requests).toBe(2);
    for (let n = 0; n < 40; n++) expect(sequences(harness, `S${n}`)).toEqual([1]);
  });

  it('gives the record its key, its timestamp and the tick’s bytes alone', async () => {
    const harness = await started();
    harness.append('ETH-USDT', 'trades', 3);
    await harness.flush();
    const [record] = harness.kafka.recordsOf('md.trades');
    expect(record).toMatchObject({ key: 'ETH-USDT', timestamp: 1_700_000_000_001, headers: {} });
    expect([...record!.value.subarray(8)]).toEqual([0, 0x55, 0x55, 0x55]);
  });

  it('flushes only what had been appended when it was asked', async () => {
    const harness = await started();
    harness.append('A');
    const flushing = harness.sink.flush(1_000);
    harness.kafka.carriage = () => ({ kind: 'answer', delayMs: 500 });
    harness.append('A');
    await harness.clock.advance(100);
    expect(await flushing).toBe(true);
  });

  it('says when the budget of a flush ran out', async () => {
    const harness = await started();
    harness.kafka.reachable = () => false;
    harness.append('A');
    expect(await harness.flush(500)).toBe(false);
    expect(harness.sink.status().queuedRecords).toBe(1);
  });

  it('follows its partitions’ leaders', async () => {
    const harness = new SinkHarness({}, 1);
    harness.kafka.brokers = [1, 2];
    let leader = 1;
    harness.kafka.leaderOf = () => leader;
    await harness.start();
    harness.append('A');
    await harness.flush();
    leader = 2;
    harness.append('A');
    harness.append('A');
    expect(await harness.flush()).toBe(true);
    expect(sequences(harness, 'A')).toEqual([1, 2, 3]);
    expect(harness.sink.counters.errorsByCode.get('NOT_LEADER_OR_FOLLOWER')).toBe(1);
  });

  it('waits for a partition without a leader', async () => {
    const harness = new SinkHarness({}, 1);
    let leader = 1;
    harness.kafka.leaderOf = () => leader;
    await harness.start();
    leader = -1;
    harness.append('A');
    await harness.clock.advance(20_000);
    expect(harness.sink.status()).toMatchObject({ healthy: false, queuedRecords: 1 });
    leader = 1;
    await harness.clock.advance(3_000);
    expect(sequences(harness, 'A')).toEqual([1]);
    expect(harness.sink.status()).toMatchObject({ healthy: true, queuedRecords: 0, detail: null });
  });

  it('backs off from a broker that is away, and says so once', async () => {
    const harness = await started();
    harness.kafka.reachable = () => false;
    harness.append('A');
    await harness.clock.advance(60_000);
    expect(harness.kafka.requests).toBeGreaterThan(20);
    expect(harness.kafka.requests).toBeLessThan(60);
    expect(harness.sink.status()).toMatchObject({
      healthy: false,
      detail: expect.stringContaining('broker 1'),
    });
    expect(harness.lines.filter((line) => line.startsWith('broker-unreachable'))).toHaveLength(1);
  });
});

describe('refusals', () => {
  it('gives up exactly the record that is too large, and the rest goes on in order', async () => {
    const harness = await started({}, 1);
    harness.kafka.maxBatchBytes = 5_000;
    for (let n = 0; n < 20; n++) harness.append('A', 'trades', 500);
    harness.append('A', 'trades', 6_000);
    for (let n = 0; n < 20; n++) harness.append('A', 'trades', 500);
    expect(await harness.flush()).toBe(true);
    expect(sequences(harness, 'A')).toEqual(upTo(41).filter((sequence) => sequence !== 21));
    expect(harness.lost).toEqual([
      {
        key: 'A',
        firstSequence: 21,
        lastSequence: 21,
        count: 1,
        reason: 'refused by Kafka: MESSAGE_TOO_LARGE',
      },
    ]);
    expect(harness.sink.status()).toMatchObject({
      acknowledged: 40,
      dropped: 1,
      queuedRecords: 0,
      queuedBytes: 0,
    });
  });

  it('learns which batches are too large', async () => {
    const harness = await started({}, 1);
    harness.kafka.maxBatchBytes = 5_000;
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 40; n++) harness.append('A', 'trades', 500);
      await harness.flush();
    }
    const refusals = harness.sink.counters.errorsByCode.get('MESSAGE_TOO_LARGE')!;
    for (let n = 0; n < 200; n++) harness.append('A', 'trades', 500);
    await harness.flush();
    expect(harness.sink.counters.errorsByCode.get('MESSAGE_TOO_LARGE')).toBe(refusals);
    expect(sequences(harness, 'A')).toEqual(upTo(400));
  });

  it('takes a new producer id on 45 and repeats nothing that was not in doubt', async () => {
    const harness = await started({}, 1);
    const fates = [{ kind: 'refuse', code: 45 } as const];
    harness.kafka.fate = () => fates.shift() ?? { kind: 'serve' };
    harness.append('A');
    expect(await harness.flush()).toBe(true);
    expect(sequences(harness, 'A')).toEqual([1]);
    expect(harness.repeated).toEqual([]);
    expect(harness.kafka.producerIds).toBe(2);
  });

  it.each([45, 47, 59])(
    'tells what may be repeated when %d follows an answer that was lost',
    async (code) => {
      const harness = await started({}, 1);
      harness.append('other');
      await harness.flush();
      const carriages = [{ kind: 'break', appended: true, delayMs: 1 } as const];
      harness.kafka.carriage = () => carriages.shift() ?? { kind: 'answer', delayMs: 1 };
      let served = 0;
      harness.kafka.fate = () => (++served === 2 ? { kind: 'refuse', code } : { kind: 'serve' });
      for (let n = 0; n < 3; n++) harness.append('A');
      harness.append('B');
      expect(await harness.flush()).toBe(true);
      expect(sequences(harness, 'A')).toEqual([1, 2, 3, 1, 2, 3]);
      expect(harness.repeated).toMatchObject([
        { key: 'A', firstSequence: 1, lastSequence: 3, count: 3 },
        { key: 'B', firstSequence: 1, lastSequence: 1, count: 1 },
      ]);
      harness.append('A');
      await harness.flush();
      expect(sequences(harness, 'A').at(-1)).toBe(4);
      expect(harness.kafka.producerIds).toBe(2);
    },
  );

  it('keeps other partitions on their producer id', async () => {
    const harness = await started({}, 8);
    let refused = false;
    harness.kafka.fate = ({ partition }) => {
      if (partition !== 3 || refused) return { kind: 'serve' };
      refused = true;
      return { kind: 'refuse', code: 45 };
    };
    for (let n = 0; n < 100; n++) harness.append(`S${n}`);
    expect(await harness.flush()).toBe(true);
    for (let n = 0; n < 100; n++) expect(sequences(harness, `S${n}`)).toEqual([1]);
    expect(harness.sink.counters.newIdentities).toBe(1);
  });

  it('acknowledges a repeat that the broker recognises', async () => {
    const harness = await started({}, 1);
    const carriages = [{ kind: 'break', appended: true, delayMs: 1 } as const];
    harness.kafka.carriage = () => carriages.shift() ?? { kind: 'answer', delayMs: 1 };
    harness.append('A');
    harness.append('A');
    expect(await harness.flush()).toBe(true);
    expect(sequences(harness, 'A')).toEqual([1, 2]);
    expect([harness.lost, harness.repeated, harness.sink.counters.retries]).toEqual([[], [], 1]);
  });

  it('sets a partition aside that we may not write to, names it, keeps its part, and the rest goes on', async () => {
    const harness = await started({ queueBytes: 1 << 20 }, 2);
    let allowed = false;
    harness.kafka.fate = ({ topic }) =>
      topic === 'md.trades' && !allowed ? { kind: 'refuse', code: 29 } : { kind: 'serve' };
    harness.append('A');
    await harness.clock.advance(10);
    expect(harness.sink.status()).toMatchObject({
      healthy: false,
      detail: expect.stringMatching(/set aside: md\.trades-\d \(TOPIC_AUTHORIZATION_FAILED\)/),
    });
    let taken = 1;
    while (harness.append('A', 'trades', 500)) taken++;
    expect(taken).toBeGreaterThan(50);
    expect(harness.sink.status().queuedBytes).toBeLessThanOrEqual((1 << 20) / 16);
    expect(harness.calls).toEqual([]);
    harness.append('A', 'quotes');
    await harness.clock.advance(10);
    expect(harness.written('A', 'md.quotes')).toHaveLength(1);
    expect(harness.kafka.requests).toBeLessThan(10);

    allowed = true;
    expect(await harness.flush(60_000)).toBe(true);
    expect(sequences(harness, 'A')).toEqual(upTo(taken));
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: null });
    expect(harness.lines.at(-1)).toMatch(/^partition-resumed: md\.trades-\d/);
  });

  it('leaves the others most of the queue when every partition of a topic is set aside', async () => {
    const limit = 1 << 20;
    const harness = await started({ queueBytes: limit }, 12);
    harness.kafka.fate = ({ topic }) =>
      topic === 'md.trades' ? { kind: 'refuse', code: 29 } : { kind: 'serve' };
    const keys = Array.from({ length: 100 }, (_, n) => `S${n}`);
    for (const key of keys) harness.append(key);
    await harness.clock.advance(10);
    for (const key of keys) while (harness.append(key, 'trades', 500));
    expect(harness.sink.status().detail).toContain('and 9 more');
    expect(harness.sink.status().queuedBytes).toBeLessThan(0.3 * limit);
    // Neither are sockets paused for it, nor quotes conflated.
    expect(harness.calls).toEqual([]);
    const quotes = Array.from({ length: 5 }, () => harness.append('Q', 'quotes'));
    expect(quotes).not.toContain(false);
    await harness.clock.advance(10);
    expect(harness.written('Q', 'md.quotes').map(({ conflated }) => conflated)).toEqual([0, 0, 0, 0, 0]);
  });

  it('tells of a partition that takes nothing for long, though its error passes by itself', async () => {
    const harness = await started({}, 1);
    let replicas = 1;
    harness.kafka.fate = ({ topic }) =>
      topic === 'md.trades' && replicas < 2 ? { kind: 'refuse', code: 19 } : { kind: 'serve' };
    harness.append('A');
    await harness.clock.advance(1_000);
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: null });
    await harness.clock.advance(10_000);
    expect(harness.sink.status()).toMatchObject({
      healthy: false,
      detail: 'not written: md.trades-0 (NOT_ENOUGH_REPLICAS)',
    });
    const told = harness.lines.filter((line) => line.startsWith('partition-failing'));
    expect(told).toEqual(['partition-failing: md.trades-0 takes no records: NOT_ENOUGH_REPLICAS']);
    replicas = 2;
    await harness.clock.advance(3_000);
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: null });
    expect(harness.lines.at(-1)).toBe('partition-resumed: md.trades-0 takes records again');
    expect(sequences(harness, 'A')).toEqual([1]);
  });

  it('sets the partitions of a topic aside that has been gone for long, and takes them back', async () => {
    const harness = await started({ unknownTopicMs: 10_000 }, 1);
    harness.kafka.fate = ({ topic }) =>
      harness.kafka.topics.has(topic) ? { kind: 'serve' } : { kind: 'refuse', code: 3 };
    harness.kafka.topics.delete('md.trades');
    harness.append('A');
    await harness.clock.advance(9_000);
    expect(harness.lines.join()).not.toContain('set aside');
    await harness.clock.advance(5_000);
    expect(harness.lines.join()).toContain('partition-set-aside: md.trades-0 is set aside: UNKNOWN_TOPIC');
    harness.kafka.topics.add('md.trades');
    await harness.clock.advance(3_000);
    expect(sequences(harness, 'A')).toEqual([1]);
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: null });
  });

  it('stays with the partitions of its start when a topic gets more, and says so once', async () => {
    const harness = await started({ metadataMaxAgeMs: 1_000 }, 3);
    harness.kafka.partitions = 4;
    await harness.clock.advance(5_000);
    expect(harness.lines.filter((line) => line.includes('md.trades'))).toEqual([
      'partitions-added: md.trades has 4 partitions now and had 3 at the start: keys keep theirs until this pod starts again, and then move',
    ]);
    for (let n = 0; n < 50; n++) harness.append(`S${n}`);
    expect(await harness.flush()).toBe(true);
    expect(harness.kafka.log('md.trades', 3).records).toEqual([]);
  });

  it('takes partitions back that had nothing to send while their topic was gone', async () => {
    const harness = await started({ unknownTopicMs: 5_000 }, 3);
    harness.kafka.topics.delete('md.trades');
    harness.kafka.fate = ({ topic }) =>
      harness.kafka.topics.has(topic) ? { kind: 'serve' } : { kind: 'refuse', code: 3 };
    harness.append('A');
    await harness.clock.advance(20_000);
    expect(harness.sink.status().detail).toMatch(/^set aside: (md\.trades-\d [^,]*(, )?){3}$/);
    harness.kafka.topics.add('md.trades');
    await harness.clock.advance(3_000);
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: null });
  });

  it('suspects the batch when a broker keeps finding it damaged', async () => {
    const harness = await started({}, 1);
    harness.kafka.fate = (part) =>
      part.bytes.includes('bad-key') ? { kind: 'refuse', code: 2 } : { kind: 'serve' };
    harness.append('A');
    harness.append('bad-key');
    harness.append('A');
    expect(await harness.flush()).toBe(true);
    expect(sequences(harness, 'A')).toEqual([1, 2]);
    expect(harness.lost).toMatchObject([{ key: 'bad-key', count: 1 }]);
  });
});

describe('the queue', () => {
  const queueBytes = 1 << 20;

  it('is bounded, says so once, and never from within append', async () => {
    const harness = await started({ queueBytes });
    harness.kafka.reachable = () => false;
    let taken = 0;
    while (harness.append(`S${taken % 50}`, 'trades', 150)) taken++;
    expect(harness.calls).toEqual([]);
    await settle();
    for (let n = 0; n < 1_000; n++) harness.append(`S${n % 50}`, 'trades', 150);
    await settle();
    expect(harness.calls).toEqual(['full']);
    const { queuedBytes, queuedRecords, dropped } = harness.sink.status();
    expect(queuedBytes).toBeLessThanOrEqual(queueBytes);
    expect(queuedRecords).toBeGreaterThanOrEqual(taken);
    // Most of the memory is ticks.
    expect(queuedRecords * 170).toBeGreaterThan(queueBytes * 0.7);
    expect(dropped).toBe([...harness.refused.values()].flat().length);

    harness.kafka.reachable = () => true;
    await harness.clock.advance(10_000);
    expect(harness.calls).toEqual(['full', 'drained']);
    expect(harness.sink.status()).toMatchObject({ queuedBytes: 0, queuedRecords: 0 });
    for (const [key, given] of harness.given) {
      const refused = new Set(harness.refused.get(key));
      expect(sequences(harness, key)).toEqual(upTo(given).filter((sequence) => !refused.has(sequence)));
    }
  });

  it('has room for records that tell of losses when it has none for ticks', async () => {
    const harness = await started({ queueBytes });
    harness.kafka.reachable = () => false;
    while (harness.append('A', 'trades', 150));
    for (let n = 0; n < 100; n++) expect(harness.append('A:trades', 'status', 200)).toBe(true);
    harness.kafka.reachable = () => true;
    expect(await harness.flush()).toBe(true);
    expect(harness.written('A:trades', 'md.status')).toHaveLength(100);
  });

  it('conflates under pressure, provably', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { minLength: 50, maxLength: 600 }),
        fc.nat(3),
        async (keys, restarts) => {
          const harness = await started({ queueBytes, batchBytes: 4096 });
          harness.kafka.reachable = () => false;
          while (harness.sink.status().queuedBytes < queueBytes * 0.6) harness.append('T', 'trades', 900);
          for (const [index, key] of keys.entries()) {
            expect(harness.append(`Q${key}`, 'quotes', key * 10)).toBe(true);
            if (index % Math.ceil(keys.length / (restarts + 1)) === 0) {
              harness.kafka.reachable = () => true;
              await harness.clock.advance(3);
              harness.kafka.reachable = () => false;
            }
          }
          expect(harness.sink.status().queuedBytes).toBeLessThanOrEqual(queueBytes);
          harness.kafka.reachable = () => true;
          expect(await harness.flush()).toBe(true);
          for (const [key, given] of harness.given) {
            if (key === 'T') continue;
            let last = 0;
            for (const { sequence, conflated } of harness.written(key, 'md.quotes')) {
              // What a reader checks: every tick is there or stood for.
              expect(sequence - conflated).toBe(last + 1);
              last = sequence;
            }
            expect(last).toBe(given);
          }
          await harness.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('holds one tick for each stream while nothing goes', async () => {
    const harness = await started({ queueBytes }, 1);
    harness.kafka.reachable = () => false;
    while (harness.sink.status().queuedBytes < queueBytes * 0.6) harness.append('T', 'trades', 900);
    const before = harness.sink.status().queuedBytes;
    for (let n = 0; n < 5_000; n++) expect(harness.append(`Q${n % 5}`, 'quotes')).toBe(true);
    expect(harness.sink.status().queuedBytes - before).toBeLessThanOrEqual(5 * 64);
    expect(harness.sink.reading().conflated).toBe(4_995);
    harness.kafka.reachable = () => true;
    await harness.flush();
    expect(harness.written('Q0', 'md.quotes')).toEqual([{ key: 'Q0', sequence: 1_000, conflated: 999 }]);
  });

  it('puts held ticks before newer ones when the pressure is gone', async () => {
    const harness = new SinkHarness({ queueBytes }, 1);
    harness.kafka.brokers = [1, 2];
    harness.kafka.leaderOf = (topic) => (topic === 'md.quotes' ? 2 : 1);
    await harness.start();
    const there = { 1: false, 2: false };
    harness.kafka.carriage = (nodeId) =>
      there[nodeId as 1 | 2] ? { kind: 'answer', delayMs: 1 } : { kind: 'not-connected' };
    while (harness.sink.status().queuedBytes < queueBytes * 0.6) harness.append('T', 'trades', 900);
    for (let n = 0; n < 10; n++) harness.append('Q', 'quotes');
    there[1] = true;
    await harness.clock.advance(5_000);
    expect(harness.sink.status().queuedBytes).toBeLessThan(queueBytes * 0.4);
    for (let n = 0; n < 10; n++) harness.append('Q', 'quotes');
    there[2] = true;
    expect(await harness.flush()).toBe(true);
    expect(harness.written('Q', 'md.quotes').map(({ sequence, conflated }) => [sequence, conflated])).toEqual(
      [[10, 9], ...Array.from({ length: 10 }, (_, n) => [n + 11, 0])],
    );
  });

  it('counts in a loss the ticks that a conflated one stood for', async () => {
    const harness = await started({ queueBytes }, 1);
    harness.kafka.reachable = () => false;
    while (harness.sink.status().queuedBytes < queueBytes * 0.6) harness.append('T', 'trades', 900);
    for (let n = 0; n < 10; n++) harness.append('Q', 'quotes');
    harness.kafka.fate = ({ topic }) =>
      topic === 'md.quotes' ? { kind: 'refuse', code: 87 } : { kind: 'serve' };
    harness.kafka.reachable = () => true;
    expect(await harness.flush()).toBe(true);
    expect(harness.lost).toMatchObject([{ key: 'Q', firstSequence: 1, lastSequence: 10, count: 10 }]);
  });

  it('counts as lost, by stream, what is queued when it is closed', async () => {
    const harness = await started({ queueBytes });
    harness.kafka.reachable = () => false;
    for (let n = 0; n < 10; n++) harness.append('A');
    harness.append('B');
    await harness.clock.advance(100);
    for (let n = 0; n < 5; n++) harness.append('A');
    await harness.close();
    expect(
      harness.lost.map(({ reason: _, ...loss }) => loss).sort((a, b) => (a.key < b.key ? -1 : 1)),
    ).toEqual([
      { key: 'A', firstSequence: 1, lastSequence: 15, count: 15 },
      { key: 'B', firstSequence: 1, lastSequence: 1, count: 1 },
    ]);
    expect(harness.append('A')).toBe(false);
    expect(harness.append('C', 'quotes')).toBe(false);
    expect(harness.kafka.closed).toBe(true);
  });
});

describe('dead letters', () => {
  const letter = {
    exchange: 'okx',
    frame: Buffer.from('{"bad'),
    stage: 'decode',
    reason: 'not-json',
    detail: 'ended early',
    session: 's1',
    timestampMs: 1_700_000_000_000,
  };

  it('carry the frame and why', async () => {
    const harness = await started();
    harness.sink.deadLetter(letter);
    await harness.flush();
    expect(harness.kafka.recordsOf('md.invalid')).toEqual([
      {
        offsetDelta: 0,
        key: 'okx',
        value: letter.frame,
        timestamp: letter.timestampMs,
        headers: { reason: 'not-json', stage: 'decode', detail: 'ended early', session: 's1' },
      },
    ]);
  });

  it('are limited by exchange, and the rest counted', async () => {
    const harness = await started({ deadLettersPerSecond: 10 });
    for (let n = 0; n < 50; n++) harness.sink.deadLetter(letter);
    for (let n = 0; n < 3; n++) harness.sink.deadLetter({ ...letter, exchange: 'kraken' });
    await harness.clock.advance(500);
    for (let n = 0; n < 50; n++) harness.sink.deadLetter(letter);
    await harness.flush();
    const keys = harness.kafka.recordsOf('md.invalid').map(({ key }) => key);
    expect([
      keys.filter((key) => key === 'okx').length,
      keys.filter((key) => key === 'kraken').length,
    ]).toEqual([15, 3]);
    expect(harness.sink.reading().deadLettersDropped).toBe(85);
  });

  it('are cut when they are huge, and a header says how long they were', async () => {
    const harness = await started();
    harness.sink.deadLetter({ ...letter, frame: Buffer.alloc(600_000, 0x41) });
    await harness.flush();
    const [record] = harness.kafka.recordsOf('md.invalid');
    expect(record!.value.length).toBe(512 * 1024);
    expect(record!.headers.frameBytes).toBe('600000');
  });

  it('leave the reserve to the records that tell of losses', async () => {
    const harness = await started({ queueBytes: 1 << 20 });
    harness.kafka.reachable = () => false;
    while (harness.append('A', 'trades', 500));
    for (let n = 0; n < 10; n++)
      harness.sink.deadLetter({ ...letter, frame: Buffer.alloc(50_000), exchange: `x${n}` });
    expect(harness.append('A', 'status')).toBe(true);
    expect(harness.sink.reading().deadLettersDropped).toBe(10);
  });

  it('hold a small part of the queue only', async () => {
    const harness = await started({ deadLettersPerSecond: 1_000 });
    harness.kafka.reachable = () => false;
    for (let n = 0; n < 100; n++) harness.sink.deadLetter({ ...letter, frame: Buffer.alloc(100_000) });
    expect(harness.sink.status().queuedBytes).toBeLessThan(3 * 1024 * 1024);
    expect(harness.sink.reading().deadLettersDropped).toBeGreaterThan(70);
  });
});
