import { describe, expect, it } from 'vitest';
import { ConfirmedHistory } from './confirmed-history.ts';
import { QueueMemory } from './queue-memory.ts';
import { BatchName } from './tick-batch.ts';

const memory = new QueueMemory(64 * 1024 * 1024, 1024 * 1024, () => {});
const name = new BatchName('a');

function batchOf(number: number, entries: readonly (readonly [stream: number, sequence: number])[]) {
  const batch = memory.take(1024 * 1024);
  batch.number = number;
  for (const [stream, sequence] of entries) {
    const at = batch.begin(name, stream, new Uint8Array(0), sequence, 0);
    batch.finish(at, at);
  }
  return batch;
}

describe('ConfirmedHistory', () => {
  it('knows what came after a batch, once', () => {
    const history = new ConfirmedHistory();
    history.add(batchOf(1, [[5, 1]]));
    history.add(
      batchOf(2, [
        [5, 2],
        [6, 1],
      ]),
    );
    history.add(batchOf(3, [[5, 3]]));
    const { ranges, isComplete } = history.takeAfter(1);
    expect(isComplete).toBe(true);
    expect([...ranges.byStream]).toEqual([
      [5, { first: 2, last: 3, count: 2 }],
      [6, { first: 1, last: 1, count: 1 }],
    ]);
    expect([...history.takeAfter(1).ranges.byStream]).toEqual([]);
  });

  it('says when it does not reach so far back', () => {
    const history = new ConfirmedHistory();
    const many = Array.from({ length: 3000 }, (_, stream) => [stream, 1] as const);
    history.add(batchOf(1, many));
    history.add(batchOf(2, many));
    history.add(batchOf(3, [[0, 2]]));
    const { ranges, isComplete } = history.takeAfter(-1);
    expect(isComplete).toBe(false);
    expect(ranges.byStream.get(0)).toEqual({ first: 1, last: 2, count: 2 });
  });
});
