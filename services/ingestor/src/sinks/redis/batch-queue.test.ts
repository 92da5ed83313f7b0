import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchQueue } from './batch-queue.ts';
import { QueueMemory } from './queue-memory.ts';
import { BatchName, ENTRY_OVERHEAD, MAX_NAMES, type TickBatch } from './tick-batch.ts';

const SYMBOL = Buffer.from('BTC-USDT');

function put(queue: BatchQueue, name: BatchName, sequence: number, value: Uint8Array): boolean {
  const batch = queue.roomFor(SYMBOL.length + value.length, false);
  if (batch === null) return false;
  const at = batch.begin(name, 7, SYMBOL, sequence, 3);
  batch.bytes.set(value, at);
  batch.finish(at, at + value.length);
  return true;
}

function drain(queue: BatchQueue): TickBatch['entries'] extends () => Generator<infer E> ? E[] : never {
  const entries = [];
  for (let batch = queue.takeHead(); batch !== null; batch = queue.takeHead()) {
    entries.push(...batch.entries());
    queue.releaseHead();
  }
  return entries;
}

describe('BatchQueue', () => {
  it('gives back all entries in their order, whatever their sizes, and all memory', () => {
    const sizes = fc.array(fc.nat({ max: 3000 }), { maxLength: 300 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 20 }), (lengths, takeEvery) => {
        const memory = new QueueMemory(64 * 1024 * 1024, 8192, () => {});
        const queue = new BatchQueue(memory);
        const names = [new BatchName('a'), new BatchName('b')];
        const seen: number[] = [];
        lengths.forEach((length, index) => {
          expect(put(queue, names[index % 2]!, index + 1, new Uint8Array(length))).toBe(true);
          if (index % takeEvery !== 0) return;
          const head = queue.takeHead()!;
          seen.push(...[...head.entries()].map(({ sequence }) => sequence));
          queue.releaseHead();
        });
        expect(queue.ticks).toBe(lengths.length - seen.length);
        seen.push(...drain(queue).map(({ sequence }) => sequence));
        expect(seen).toEqual(lengths.map((_, index) => index + 1));
        expect(queue.ticks).toBe(0);
        expect(queue.isEmpty).toBe(true);
        expect(memory.held).toBe(0);
      }),
    );
  });

  it('keeps what is needed again of each entry', () => {
    const memory = new QueueMemory(1024 * 1024, 8192, () => {});
    const queue = new BatchQueue(memory);
    const [a, b] = [new BatchName('a'), new BatchName('b')];
    put(queue, b, 2 ** 40, new Uint8Array(5));
    put(queue, a, 10, new Uint8Array(0));
    put(queue, b, 11, new Uint8Array(1));
    expect(queue.takeHead()!.names.map(({ text }) => text)).toEqual(['b', 'a']);
    expect([...queue.head!.entries()]).toEqual([
      { stream: 7, conflated: 3, sequence: 2 ** 40, name: 1 },
      { stream: 7, conflated: 3, sequence: 10, name: 2 },
      { stream: 7, conflated: 3, sequence: 11, name: 1 },
    ]);
  });

  it('takes a tick larger than a batch in one of its own', () => {
    const memory = new QueueMemory(1024 * 1024, 4096, () => {});
    const queue = new BatchQueue(memory);
    const name = new BatchName('a');
    put(queue, name, 1, new Uint8Array(10));
    put(queue, name, 2, new Uint8Array(10_000));
    put(queue, name, 3, new Uint8Array(10));
    expect(queue.takeHead()!.count).toBe(1);
    queue.releaseHead();
    expect(queue.takeHead()!.end).toBeGreaterThan(10_000);
    queue.releaseHead();
    expect([...queue.takeHead()!.entries()].map(({ sequence }) => sequence)).toEqual([3]);
  });

  it('begins another batch when one has as many names as a script takes', () => {
    const memory = new QueueMemory(64 * 1024 * 1024, 1024 * 1024, () => {});
    const queue = new BatchQueue(memory);
    for (let index = 0; index <= MAX_NAMES; index++)
      put(queue, new BatchName(`k${index}`), 1, new Uint8Array(1));
    expect(queue.takeHead()!.count).toBe(MAX_NAMES);
    queue.releaseHead();
    expect(queue.takeHead()!.count).toBe(1);
  });

  it('refuses beyond the limit, until a quarter is free, and says when', () => {
    let relieved = 0;
    const memory = new QueueMemory(256 * 1024, 16 * 1024, () => relieved++);
    const queue = new BatchQueue(memory);
    const name = new BatchName('a');
    let taken = 0;
    while (put(queue, name, taken + 1, new Uint8Array(1000))) taken++;
    expect(memory.held).toBeLessThanOrEqual(256 * 1024);
    expect(taken).toBeGreaterThan(200 * (1000 / (1000 + ENTRY_OVERHEAD + SYMBOL.length)));
    expect(memory.isShedding).toBe(true);
    let released = 0;
    while (relieved === 0) {
      // The open batch has room for no more either.
      expect(memory.admits(1, false)).toBe(false);
      queue.takeHead();
      queue.releaseHead();
      released++;
    }
    expect(released).toBeGreaterThan(2);
    expect(memory.isShedding).toBe(false);
    expect(put(queue, name, taken + 1, new Uint8Array(1000))).toBe(true);
  });
});
