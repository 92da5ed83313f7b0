import { TickBatch } from '@tickline/schemas/grpc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedTick } from '../sink.ts';
import { QUOTE_TAG, TRADE_TAG } from './batch-format.ts';
import { CHUNK_BYTES, ChunkMemory } from './chunk-memory.ts';
import { ClientQueue, type QueueOwner } from './client-queue.ts';
import { GrpcCounters } from './counters.ts';
import { Subscription } from './subscription.ts';

/** Queues of one pod with clients that take a batch when the test says so. */
class Bench implements QueueOwner {
  readonly memory: ChunkMemory;
  readonly counters = new GrpcCounters();
  readonly written: TickBatch[] = [];
  overflows = 0;
  exhaustions = 0;
  empties = 0;
  private readonly listed = new Set<ClientQueue>();
  private taken: (() => void)[] = [];

  constructor(limit = 100 * CHUNK_BYTES) {
    this.memory = new ChunkMemory(limit);
  }

  queue(limit = 50 * CHUNK_BYTES): ClientQueue {
    return new ClientQueue(limit, this, {
      write: (batch, done) => {
        this.written.push(TickBatch.decode(batch));
        this.taken.push(done);
      },
    });
  }

  /** What the event loop does once per turn. */
  turn(): void {
    for (const queue of this.listed) {
      this.listed.delete(queue);
      queue.isListed = false;
      queue.flush();
    }
  }

  /** The connection takes the batch that is on its way. */
  take(): boolean {
    const done = this.taken.shift();
    done?.();
    return done !== undefined;
  }

  drain(): void {
    this.turn();
    while (this.take());
  }

  now(): number {
    return 0;
  }

  waiting(queue: ClientQueue): void {
    this.listed.add(queue);
  }

  overflow(queue: ClientQueue): void {
    this.overflows++;
    queue.end();
  }

  exhausted(): void {
    this.exhaustions++;
  }

  emptied(): void {
    this.empties++;
  }

  /** Sequences of all that was written, by kind. */
  get sequences(): string[] {
    return this.written.flatMap(({ ticks }) =>
      ticks.map(({ kind }) => {
        if (kind?.$case === 'trade') return `t${kind.trade.sequence}`;
        if (kind?.$case === 'quote') return `q${kind.quote.sequence}+${kind.quote.conflated}`;
        return 'unknown';
      }),
    );
  }
}

/** A message with sequence (field 8), `conflated` (field 9), and so many bytes of field 1 before them. */
function tick(sequence: number, padding = 10): EncodedTick {
  const text = Buffer.alloc(padding, 'x');
  const head = [0x0a, ...(padding < 128 ? [padding] : [(padding & 0x7f) | 0x80, padding >> 7])];
  const parts = Buffer.concat([
    Buffer.from(head),
    text,
    Buffer.from([0x40, (sequence & 0x7f) | 0x80, sequence >> 7, 0x48, 0, 0x52, 1, 0x31]),
  ]);
  const result = new EncodedTick();
  result.bytes = Buffer.concat([Buffer.from('before'), parts, Buffer.from('after')]);
  result.start = 6;
  result.end = 6 + parts.length;
  result.conflatedAt = result.end - 4;
  result.sequence = sequence;
  return result;
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('ClientQueue', () => {
  it('joins what comes in one turn into one batch, in order', () => {
    const bench = new Bench();
    const queue = bench.queue();
    const [trades, quotes] = [
      new Subscription(queue, TRADE_TAG, false),
      new Subscription(queue, QUOTE_TAG, false),
    ];
    trades.push(tick(1));
    quotes.push(tick(2));
    trades.push(tick(3));
    expect(bench.written.length).toBe(0);
    bench.turn();
    expect(bench.written.length).toBe(1);
    expect(bench.sequences).toEqual(['t1', 'q2+0', 't3']);
    expect(queue.queuedTicks).toBe(3);
    bench.take();
    expect([queue.queuedTicks, queue.queuedBytes, bench.memory.held]).toEqual([0, 0, 0]);
    expect([bench.counters.delivered, bench.empties]).toEqual([3, 1]);
  });

  it('sends one batch at a time, and a long one at once', () => {
    const bench = new Bench();
    const trades = new Subscription(bench.queue(), TRADE_TAG, false);
    for (const sequence of range(600)) trades.push(tick(sequence, 200));
    expect(bench.written.length).toBe(1);
    expect(bench.written[0]!.ticks.length).toBeLessThan(100);
    bench.drain();
    expect(bench.sequences).toEqual(range(600).map((sequence) => `t${sequence}`));
    expect(bench.memory.held).toBe(0);
  });

  it('takes a tick that is larger than a batch', () => {
    const bench = new Bench();
    const queue = bench.queue();
    const large = new EncodedTick();
    large.bytes = Buffer.concat([
      Buffer.from([0x0a, 0x80 | (100_000 & 0x7f), 0x80 | ((100_000 >> 7) & 0x7f), 100_000 >> 14]),
      Buffer.alloc(100_000, 'x'),
    ]);
    large.end = large.bytes.length;
    new Subscription(queue, TRADE_TAG, false).push(large);
    bench.drain();
    const kind = bench.written[0]?.ticks[0]?.kind;
    expect(kind?.$case === 'trade' && kind.trade.exchange.length).toBe(100_000);
    expect(bench.memory.held).toBe(0);
  });

  it('asks for the end of a client before it takes more than its limit', () => {
    const bench = new Bench();
    const queue = bench.queue(3 * CHUNK_BYTES);
    const trades = new Subscription(queue, TRADE_TAG, false);
    let most = 0;
    for (let sequence = 1; bench.overflows === 0; sequence++) {
      trades.push(tick(sequence, 120));
      most = Math.max(most, queue.queuedBytes);
    }
    expect(most).toBe(3 * CHUNK_BYTES);
    expect(queue.isEnded).toBe(true);
    trades.push(tick(1));
    expect(bench.overflows).toBe(1);
    // The batch on its way is all that is left.
    expect(bench.memory.held).toBe(CHUNK_BYTES);
    queue.abandon();
    expect([bench.memory.held, queue.queuedTicks]).toEqual([0, 0]);
  });

  it('says when all queues together are above their limit', () => {
    const bench = new Bench(2 * CHUNK_BYTES);
    for (let client = 0; client < 3; client++) {
      new Subscription(bench.queue(), TRADE_TAG, false).push(tick(1));
    }
    expect(bench.exhaustions).toBe(1);
  });

  it('never loses, repeats or reorders trades, and quotes stand for all that they replaced', () => {
    const actions = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ stream: fc.nat(3), count: fc.integer({ min: 1, max: 300 }) }) },
        fc.constant('turn' as const),
        fc.constant('take' as const),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(actions, (steps) => {
        const bench = new Bench();
        const queue = bench.queue();
        // 0 and 1 are trades, 2 and 3 quotes; the padding tells the streams apart.
        const streams = [0, 1, 2, 3].map((index) => ({
          subscription: new Subscription(queue, index < 2 ? TRADE_TAG : QUOTE_TAG, index >= 2),
          last: 0,
        }));
        for (const step of steps) {
          if (step === 'turn') bench.turn();
          else if (step === 'take') bench.take();
          else {
            const stream = streams[step.stream]!;
            for (let index = 0; index < step.count; index++) {
              stream.subscription.push(tick(++stream.last, 120 + step.stream));
            }
          }
        }
        bench.drain();
        const positions = [0, 0, 0, 0];
        let dropped = 0;
        for (const { ticks, dropped: told } of bench.written) {
          dropped += Number(told);
          for (const { kind } of ticks) {
            if (kind?.$case !== 'trade' && kind?.$case !== 'quote') throw new Error('unknown kind');
            const message = kind.$case === 'trade' ? kind.trade : kind.quote;
            const stream = message.exchange.length - 120;
            expect(kind.$case).toBe(stream < 2 ? 'trade' : 'quote');
            expect(Number(message.sequence) - message.conflated).toBe(positions[stream]! + 1);
            positions[stream] = Number(message.sequence);
          }
        }
        expect(positions).toEqual(streams.map(({ last }) => last));
        expect(dropped).toBe(bench.counters.conflated);
        expect([bench.memory.held, queue.queuedTicks, queue.queuedBytes]).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });
});
