import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../connection/connection-error.ts';
import { OffsetOutOfRangeError } from './fetch-pool.ts';
import { readRange } from './read-range.ts';
import { inBatches, PlayedTopic, tradeRecord } from './testing/played-topic.ts';

const START = 1_781_337_600_000_000;

function topicOf(counts: readonly number[], batchSize = 4, first = 0): PlayedTopic {
  return new PlayedTopic(
    counts.map((count) =>
      inBatches(
        Array.from({ length: count }, (_, index) => tradeRecord(first + index, START + index)),
        batchSize,
      ),
    ),
    2,
  );
}

async function read(topic: PlayedTopic, order: 'any' | 'ranges', ranges = topic.ranges()) {
  const seen: string[] = [];
  const progress = await readRange(topic.source, {
    ranges,
    order,
    visitor: { record: ({ partition, offset }) => seen.push(`${partition}:${offset}`) },
  });
  return { seen, progress };
}

describe('readRange', () => {
  it('reads every record of all ranges once, one range after the other when asked to', async () => {
    const topic = topicOf([13, 0, 7, 30]);
    const expected = [13, 0, 7, 30].flatMap((count, partition) =>
      Array.from({ length: count }, (_, offset) => `${partition}:${offset}`),
    );
    const ordered = await read(topic, 'ranges');
    expect(ordered.seen).toEqual(expected);
    expect(ordered.progress).toMatchObject({ records: 50, offsetsDone: 50, offsetsTotal: 50 });
    const any = await read(topic, 'any');
    expect([...any.seen].sort()).toEqual([...expected].sort());
    for (const partition of [0, 2, 3]) {
      const own = any.seen.filter((place) => place.startsWith(`${partition}:`));
      expect(own).toEqual(expected.filter((place) => place.startsWith(`${partition}:`)));
    }
  });

  it('reads nothing for no ranges, and a single record', async () => {
    expect((await read(topicOf([5]), 'any', [])).seen).toEqual([]);
    const one = [{ topic: 'md.trades', partition: 0, start: 3, end: 4 }];
    expect((await read(topicOf([5]), 'any', one)).seen).toEqual(['0:3']);
  });

  it('reads several ranges of one partition, each its own', async () => {
    const topic = topicOf([40]);
    const part = (start: number, end: number) => ({ topic: 'md.trades', partition: 0, start, end });
    for (const order of ['any', 'ranges'] as const) {
      const { seen } = await read(topic, order, [part(1, 3), part(18, 26), part(38, 40)]);
      expect(seen.sort()).toEqual(
        [1, 2, 18, 19, 20, 21, 22, 23, 24, 25, 38, 39].map((offset) => `0:${offset}`).sort(),
      );
    }
  });

  it('rejects for an end that nobody has written, and tells the error of the cluster', async () => {
    const beyond = [{ topic: 'md.trades', partition: 0, start: 0, end: 6 }];
    await expect(read(topicOf([5]), 'any', beyond)).rejects.toThrow(OffsetOutOfRangeError);
    const topic = topicOf([9]);
    topic.beforeAnswer = () => {
      throw new ConnectionError('who are you?', 'kafka.sasl');
    };
    await expect(read(topic, 'any')).rejects.toThrow('who are you?');
  });

  it('goes on after a broker was away for a moment, without a record twice', async () => {
    const topic = topicOf([25]);
    topic.beforeAnswer = (fetch) => {
      if (fetch === 2) throw new ConnectionError('away', 'kafka.brokers');
    };
    const { seen } = await read(topic, 'any');
    expect(seen).toEqual(Array.from({ length: 25 }, (_, offset) => `0:${offset}`));
  });

  it('waits for a new leader that does not know yet how much there is', async () => {
    const topic = topicOf([25]);
    topic.beforeAnswer = (fetch) => {
      if (fetch === 2) topic.ignorantAnswers = 3;
    };
    const { seen } = await read(topic, 'any');
    expect(seen).toEqual(Array.from({ length: 25 }, (_, offset) => `0:${offset}`));
    expect(topic.fetches).toBeGreaterThan(6);
  });

  it('fetches one answer ahead and no more while it waits between batches', async () => {
    const topic = topicOf([400], 4);
    let most = 0;
    let batches = 0;
    await readRange(topic.source, {
      ranges: topic.ranges(),
      order: 'any',
      visitor: { record: () => undefined },
      async betweenBatches({ nextOffset, progress }) {
        batches++;
        expect(nextOffset).toBe(batches * 4);
        expect(progress.records).toBe(nextOffset);
        const before = topic.fetches;
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, topic.fetches - before);
      },
    });
    expect(batches).toBe(100);
    expect(topic.fetches).toBe(50);
    expect(most).toBeGreaterThan(0);
  });

  it('ends by its signal, before and between batches', async () => {
    const ended = AbortSignal.abort(new Error('ended'));
    const topic = topicOf([40]);
    const options = { ranges: topic.ranges(), order: 'any', visitor: { record: () => undefined } } as const;
    await expect(readRange(topic.source, { ...options, signal: ended })).rejects.toThrow('ended');
    const stop = new AbortController();
    await expect(
      readRange(topic.source, {
        ...options,
        signal: stop.signal,
        betweenBatches({ nextOffset }) {
          if (nextOffset === 8) stop.abort(new Error('enough'));
          return undefined;
        },
      }),
    ).rejects.toThrow('enough');
  });
});
