import { describe, expect, it } from 'vitest';
import { RedisReplyError } from './redis-link.ts';
import { StreamsHarness } from './testing/streams-harness.ts';
import { TickFeed } from './testing/tick-feed.ts';

/** Every number from 1 to `last`. */
function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

function sequences(harness: StreamsHarness): number[] {
  return harness.written.map(({ sequence }) => sequence);
}

describe('the flow', () => {
  it('makes one call of what is there, with the streams as keys and the limits', async () => {
    const harness = await new StreamsHarness({ maxAgeMs: 60_000 }).startConnected();
    const trades = new TickFeed(harness.sink, { symbols: 2 });
    const kraken = new TickFeed(harness.sink, { exchange: 'kraken' });
    trades.give(2);
    kraken.give(1);
    const call = await harness.link.next();
    expect(call.keys[0]).toMatch(/^md:writer:[0-9a-f]{12}$/);
    expect(call.keys.slice(1)).toEqual(['md:trades:okx', 'md:trades:kraken']);
    expect([call.args[0], call.args[2], call.args[3]]).toEqual(['1', '1000', '60000']);
    expect(call.entries.map(({ name, symbol, sequence }) => [name, symbol, sequence])).toEqual([
      ['md:trades:okx', 'S0-USDT', 1],
      ['md:trades:okx', 'S1-USDT', 1],
      ['md:trades:kraken', 'S0-USDT', 1],
    ]);
    expect(JSON.parse(call.entries[1]!.value)).toMatchObject({
      symbol: 'S1-USDT',
      sequence: 1,
      conflated: 0,
    });
    expect(harness.sink.status()).toMatchObject({ healthy: true, queuedRecords: 3, acknowledged: 0 });
    // The first of all: there is no mark yet.
    harness.carryOut(call, -1);
    await harness.serve();
    expect(harness.lines).toEqual([]);
    expect(harness.sink.status()).toEqual({
      sink: 'redis-streams',
      healthy: true,
      detail: null,
      queuedRecords: 0,
      queuedBytes: 0,
      queueLimitBytes: 1024 * 1024,
      acknowledged: 3,
      dropped: 0,
    });
  });

  it('has one call on its way, and gathers meanwhile', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(1);
    const first = await harness.link.next();
    for (let turn = 0; turn < 10; turn++) {
      feed.give(1);
      await harness.settle();
    }
    expect(harness.link.calls).toEqual([]);
    harness.carryOut(first);
    const second = await harness.link.next();
    expect(second.entries.length).toBe(10);
    expect(second.args[0]).toBe('2');
  });

  it('waits for others no longer than the linger, and not when a batch is full', async () => {
    const harness = await new StreamsHarness({ lingerMs: 5 }).startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(1);
    await harness.clock.advance(4);
    await harness.settle();
    expect(harness.link.calls.length).toBe(0);
    await harness.clock.advance(1);
    await harness.settle();
    expect(harness.link.calls.length).toBe(1);
    await harness.serve();
    feed.give(1000);
    await harness.settle();
    expect(harness.link.calls.length).toBe(1);
  });

  it('gives each slot of a Cluster calls of its own, with a mark in that slot', async () => {
    const harness = await new StreamsHarness({
      isCluster: true,
      key: 'md:{{{exchange}}}:{topic}:{symbol}',
    }).startConnected();
    const okx = new TickFeed(harness.sink, { symbols: 3 });
    new TickFeed(harness.sink, { exchange: 'kraken' }).give(1);
    okx.give(3);
    await harness.settle();
    expect(harness.link.calls.map(({ entries }) => entries.length).sort()).toEqual([1, 3]);
    for (const { keys } of harness.link.calls) {
      const tag = /\{(\w+)\}/.exec(keys[0]!)![1];
      expect(keys[0]).toMatch(/:writer:/);
      expect(keys.every((key) => key.includes(`{${tag}}`))).toBe(true);
    }
  });
});

describe('Redis away', () => {
  it('starts all the same, queues, and sends everything in order when it is there', async () => {
    const harness = await new StreamsHarness().start();
    const feed = new TickFeed(harness.sink);
    feed.give(500);
    expect(harness.sink.status()).toMatchObject({ healthy: false, queuedRecords: 500 });
    harness.link.connect();
    await harness.serve();
    expect(sequences(harness)).toEqual(upTo(500));
  });

  it('sends the batch again whose answer never came, under its number, before what came later', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(3);
    const call = await harness.link.next();
    feed.give(2);
    // It ran, only nobody heard of it.
    call.fail(new Error('gone'));
    harness.link.lose();
    await harness.settle();
    expect(harness.sink.status()).toMatchObject({ queuedRecords: 5, acknowledged: 0 });
    harness.link.connect();
    const again = await harness.link.next();
    expect([again.args[0], again.entries.map(({ sequence }) => sequence)]).toEqual(['1', [1, 2, 3]]);
    harness.carryOut(again, 1);
    await harness.serve();
    expect(sequences(harness)).toEqual([1, 2, 3, 4, 5]);
    expect(harness.sink.counters.retries).toBe(1);
    expect(harness.lost).toEqual([]);
  });

  it('sheds what does not fit, refuses nothing, and tells it when there is room', async () => {
    const harness = await new StreamsHarness().start();
    const feed = new TickFeed(harness.sink, { symbols: 2 });
    expect(feed.give(10_000)).toBe(10_000);
    const { queuedRecords, queuedBytes, dropped, detail } = harness.sink.status();
    expect(queuedRecords + dropped).toBe(10_000);
    expect(dropped).toBeGreaterThan(1000);
    expect(queuedBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(detail).toContain('queue is full');
    expect(harness.lost).toEqual([]);
    harness.link.connect();
    await harness.serve();
    expect(harness.written.length).toBe(queuedRecords);
    expect(harness.lost.length).toBe(2);
    for (const { symbol, firstSequence, lastSequence, count, reason } of harness.lost) {
      const had = harness.written.filter((tick) => tick.symbol === symbol).map(({ sequence }) => sequence);
      expect(had).toEqual(upTo(firstSequence - 1));
      expect([lastSequence, count]).toEqual([5000, 5000 - had.length]);
      expect(reason).toBe('redis-streams: queue full (redis.streams.queueBytes)');
    }
    expect(harness.lost.reduce((sum, { count }) => sum + count, 0)).toBe(dropped);
    // Other sinks and the sockets hear nothing of it.
    expect(harness.calls).toEqual([]);
    feed.give(2);
    await harness.serve();
    expect(sequences(harness).slice(-2)).toEqual([5001, 5001]);
  });

  it('keeps a reserve for records that tell of losses', async () => {
    const harness = await new StreamsHarness().start();
    new TickFeed(harness.sink).give(10_000);
    new TickFeed(harness.sink, { topic: 'status' }).give(1);
    harness.link.connect();
    await harness.serve();
    expect(harness.written.at(-1)).toMatchObject({ topic: 'status', sequence: 1 });
  });

  it('conflates quotes under pressure: the latest stands for what it replaced', async () => {
    const harness = await new StreamsHarness().start();
    const feed = new TickFeed(harness.sink, { topic: 'quotes', symbols: 3 });
    feed.give(30_000);
    expect(harness.sink.status()).toMatchObject({ dropped: 0 });
    harness.link.connect();
    await harness.serve();
    for (const symbol of feed.given.keys()) {
      const ticks = harness.written.filter((tick) => tick.symbol === symbol);
      // Each says how many it stands for, so together they are all that was given.
      let last = 0;
      for (const { sequence, conflated } of ticks) {
        expect(sequence - conflated).toBe(last + 1);
        last = sequence;
      }
      expect(last).toBe(10_000);
    }
    const stoodFor = harness.written.reduce((sum, { conflated }) => sum + conflated, 0);
    expect(harness.sink.counters.conflated).toBe(stoodFor);
    expect(stoodFor).toBeGreaterThan(10_000);
    expect(harness.lost).toEqual([]);
  });

  it('is unhealthy after five seconds, and says why', async () => {
    const harness = await new StreamsHarness().startConnected();
    new TickFeed(harness.sink).give(1);
    await harness.serve();
    harness.link.lose(harness.clock.now());
    await harness.clock.advance(4_000);
    expect(harness.sink.status()).toMatchObject({ healthy: true, detail: 'gone' });
    await harness.clock.advance(2_000);
    expect(harness.sink.status().healthy).toBe(false);
  });
});

describe('Redis refuses', () => {
  it('asks again after an answer that passes, and logs the change only', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(2);
    for (let attempt = 0; attempt < 8; attempt++) {
      (await harness.link.next()).fail(new RedisReplyError('OOM command not allowed'));
      await harness.settle();
      feed.give(1);
      expect(harness.link.calls).toEqual([]);
      await harness.clock.advance(3_000);
    }
    await harness.serve();
    expect(sequences(harness)).toEqual(upTo(10));
    expect(harness.lines).toEqual([
      'error redis-refuses: Redis takes no entries: OOM command not allowed (raise its maxmemory, or lower redis.streams.maxLength or maxAgeMs)',
      'info redis-takes-again: Redis takes entries again',
    ]);
    expect(harness.sink.reading().errorsByCode).toEqual(new Map([['OOM', 8]]));
  });

  it('gives a batch up that Redis can never take, and tells it', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(2);
    for (let attempt = 0; attempt < 5; attempt++) {
      (await harness.link.next()).fail(new RedisReplyError('ERR no such thing'));
      await harness.settle();
      if (attempt === 0) feed.give(1);
      await harness.clock.advance(3_000);
    }
    await harness.serve();
    expect(sequences(harness)).toEqual([3]);
    expect(harness.lost).toEqual([
      {
        symbol: 'S0-USDT',
        firstSequence: 1,
        lastSequence: 2,
        count: 2,
        reason: 'redis-streams: Redis refused the batch: ERR no such thing',
      },
    ]);
  });

  it('loses only the entries of a key that is no stream', async () => {
    const harness = await new StreamsHarness({ key: '{topic}:{exchange}:{symbol}' }).startConnected();
    const feed = new TickFeed(harness.sink, { symbols: 2 });
    feed.give(4);
    (await harness.link.next()).answer([-1, 2, 'WRONGTYPE Operation against a key']);
    await harness.settle();
    expect(harness.lost).toMatchObject([{ symbol: 'S1-USDT', firstSequence: 1, lastSequence: 2, count: 2 }]);
    expect(harness.sink.status()).toMatchObject({ acknowledged: 2, dropped: 2, queuedRecords: 0 });
    expect(harness.lines).toEqual([expect.stringContaining('trades:okx:S1-USDT holds something else')]);
  });
});

describe('Redis forgets', () => {
  it('tells what it had confirmed and does not have any more', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink, { symbols: 2 });
    for (let batch = 0; batch < 3; batch++) {
      feed.give(4);
      await harness.serve();
    }
    harness.link.lose();
    harness.link.connect();
    feed.give(2);
    // It has the first batch only.
    harness.carryOut(await harness.link.next(), 1);
    await harness.settle();
    expect(harness.lost).toMatchObject([
      { symbol: 'S0-USDT', firstSequence: 3, lastSequence: 6, count: 4 },
      { symbol: 'S1-USDT', firstSequence: 3, lastSequence: 6, count: 4 },
    ]);
    expect(harness.sink.status()).toMatchObject({ acknowledged: 6, dropped: 8 });
    expect(harness.lines).toEqual([
      expect.stringContaining('error redis-lost-entries: Redis came back without 8'),
    ]);
  });

  it('takes a mark that has expired for no proof', async () => {
    const harness = await new StreamsHarness().startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(1);
    await harness.serve();
    await harness.clock.advance(3_600_000);
    feed.give(1);
    harness.carryOut(await harness.link.next(), -1);
    await harness.settle();
    expect(harness.lost).toEqual([]);
    expect(harness.sink.status().acknowledged).toBe(2);
  });
});

describe('the end', () => {
  it('flushes what was appended before, whatever comes later', async () => {
    const harness = await new StreamsHarness({ lingerMs: 1000 }).startConnected();
    const feed = new TickFeed(harness.sink);
    feed.give(3);
    const flushed = harness.sink.flush(10_000);
    feed.give(1);
    harness.carryOut(await harness.link.next());
    await harness.serve();
    expect(await flushed).toBe(true);
  });

  it('does not flush beyond the budget, and tells what is left at the close', async () => {
    const harness = await new StreamsHarness().start();
    const feed = new TickFeed(harness.sink);
    feed.give(7);
    const flushed = harness.sink.flush(100);
    await harness.clock.advance(100);
    expect(await flushed).toBe(false);
    await harness.sink.close();
    expect(harness.link.isClosed).toBe(true);
    expect(harness.lost).toMatchObject([{ firstSequence: 1, lastSequence: 7, count: 7 }]);
    expect(harness.sink.status()).toMatchObject({ healthy: false, dropped: 7, queuedRecords: 0 });
    expect(feed.give(1)).toBe(1);
    expect(harness.sink.status().dropped).toBe(8);
  });
});
