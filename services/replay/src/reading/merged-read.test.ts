import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MergedReadOptions, readMerged } from './merged-read.ts';
import { UnreadableRecordError } from './records.ts';
import { inBatches, PlayedTopic, tradeRecord } from './testing/played-topic.ts';

const START = 1_781_337_600_000_000;
const NEVER = new AbortController().signal;

interface Seen {
  readonly partition: number;
  readonly offset: number;
  readonly time: number;
}

async function merged(topic: PlayedTopic, reorderWindowMs: number, given: Partial<MergedReadOptions> = {}) {
  const seen: Seen[] = [];
  const progress = await readMerged(topic.source, {
    ranges: topic.ranges(),
    visitor: {
      record: ({ partition, offset, receiveTime }) => seen.push({ partition, offset, time: receiveTime }),
    },
    filter: undefined,
    reorderWindowMs,
    before: () => undefined,
    skipped: () => undefined,
    signal: NEVER,
    ...given,
  });
  return { seen, progress };
}

/** Times in microseconds as a topic of one partition for each list. */
function topicOf(
  partitions: readonly (readonly number[])[],
  batchSize: number,
  batchesPerAnswer = 1,
): PlayedTopic {
  return new PlayedTopic(
    partitions.map((times) =>
      inBatches(
        times.map((time, offset) => tradeRecord(offset, START + time)),
        batchSize,
      ),
    ),
    batchesPerAnswer,
  );
}

/** Partitions that are out of order by at most `disorder` milliseconds. */
function partitionsWithin(disorder: number) {
  return fc
    .array(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 60 }), { minLength: 1, maxLength: 6 })
    .chain((partitions) =>
      fc.tuple(
        ...partitions.map((steps) =>
          fc
            .array(fc.integer({ min: 0, max: disorder * 1000 }), {
              minLength: steps.length,
              maxLength: steps.length,
            })
            .map((delays) => {
              // Records are written at growing times, and are up to `disorder` old by then.
              let written = disorder * 1000;
              return steps.map((step, index) => {
                written += step;
                return written - delays[index]!;
              });
            }),
        ),
      ),
    );
}

describe('readMerged', () => {
  it('visits all records in the order of receive times when none is later than the window', async () => {
    await fc.assert(
      fc.asyncProperty(
        partitionsWithin(50),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 3 }),
        async (partitions, batchSize, batchesPerAnswer) => {
          const topic = topicOf(partitions, batchSize, batchesPerAnswer);
          const { seen, progress } = await merged(topic, 50);
          const expected = partitions.flatMap((times, partition) =>
            times.map((time, offset) => ({ partition, offset, time: START + time })),
          );
          expected.sort((a, b) => a.time - b.time || a.partition - b.partition || a.offset - b.offset);
          expect(seen).toEqual(expected);
          expect(progress).toMatchObject({ records: expected.length, late: 0, narrowed: false, skipped: 0 });
        },
      ),
    );
  });

  it('visits each record once whatever the window is, and counts those that come behind a later one', async () => {
    await fc.assert(
      fc.asyncProperty(partitionsWithin(80), fc.constantFrom(0, 1, 20), async (partitions, windowMs) => {
        const topic = topicOf(partitions, 3);
        const { seen, progress } = await merged(topic, windowMs);
        const all = partitions.flatMap((times, partition) =>
          times.map((_, offset) => `${partition}:${offset}`),
        );
        expect(seen.map(({ partition, offset }) => `${partition}:${offset}`).sort()).toEqual(all.sort());
        let latest = Number.NEGATIVE_INFINITY;
        let late = 0;
        for (const { time } of seen) {
          if (time < latest) late++;
          latest = Math.max(latest, time);
        }
        expect(progress.late).toBe(late);
      }),
    );
  });

  it('lets a record that is later than the window come where it is', async () => {
    const seconds = [0, 1, 2, 30, 31, 5, 32];
    const topic = topicOf([seconds.map((second) => second * 1_000_000)], 1);
    const { seen, progress } = await merged(topic, 500);
    expect(seen.map(({ time }) => (time - START) / 1_000_000)).toEqual([0, 1, 2, 30, 5, 31, 32]);
    expect(progress.late).toBe(1);
  });

  it('bounds what waits: the window is shortened, the order over partitions stays', async () => {
    const times = Array.from({ length: 30_000 }, (_, index) => index * 2);
    const topic = topicOf([times, times.map((time) => time + 1)], 500);
    const { seen, progress } = await merged(topic, 3_600_000, { heldBytes: 1024 * 1024 });
    expect(progress).toMatchObject({ records: 60_000, late: 0, narrowed: true });
    expect(seen.every(({ time }, index) => time === START + index)).toBe(true);
  });

  it('awaits what is asked before a record, and ends by the signal in between', async () => {
    const stop = new AbortController();
    const topic = topicOf([[1, 2, 3, 4]], 2);
    const asked: number[] = [];
    const seen: number[] = [];
    const reading = merged(topic, 0, {
      signal: stop.signal,
      visitor: { record: ({ receiveTime }) => seen.push(receiveTime - START) },
      async before(time) {
        asked.push(time - START);
        await new Promise((resolve) => setImmediate(resolve));
        if (time === START + 3) stop.abort(new Error('enough'));
      },
    });
    await expect(reading).rejects.toThrow('enough');
    expect([asked, seen]).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
  });

  it('counts what the visitor can’t use, with its place', async () => {
    const places: number[] = [];
    const { progress } = await merged(topicOf([[5, 6, 7]], 3), 0, {
      visitor: {
        record({ offset }) {
          if (offset === 1) throw new UnreadableRecordError('no');
        },
      },
      skipped: ({ offset }) => places.push(offset),
    });
    expect(progress).toMatchObject({ records: 2, skipped: 1 });
    expect(places).toEqual([1]);
  });
});
