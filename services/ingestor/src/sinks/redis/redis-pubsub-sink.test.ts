import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { RedisPubSubSink } from './redis-pubsub-sink.ts';
import { FakeLink, settle } from './testing/fake-link.ts';
import { linesInto } from './testing/streams-harness.ts';
import { TickFeed } from './testing/tick-feed.ts';

async function started({ queueBytes = 1024 * 1024, lingerMs = 0 } = {}) {
  const link = new FakeLink();
  const clock = new VirtualClock();
  const lines: string[] = [];
  const told: string[] = [];
  const sink = new RedisPubSubSink(
    {
      format: 'json',
      channel: 'md:{topic}:{exchange}:{symbol}',
      queueBytes,
      batchBytes: 16 * 1024,
      lingerMs,
      log: linesInto(lines),
      clock,
    },
    link,
  );
  const tell = (what: string) => () => told.push(what);
  await sink.start({
    full: tell('full'),
    drained: tell('drained'),
    lost: tell('lost'),
    repeated: tell('repeated'),
  });
  return { link, clock, lines, told, sink };
}

/** Publishes what is called until nothing is called any more; returns how many messages that were. */
async function serve(link: FakeLink): Promise<number> {
  let published = 0;
  for (;;) {
    await settle();
    const call = link.calls.shift();
    if (call === undefined) return published;
    published += call.entries.length;
    call.answer([0, '']);
  }
}

describe('the flow', () => {
  it('publishes many in one call, each to the channel of its symbol', async () => {
    const { link, sink } = await started();
    link.connect();
    new TickFeed(sink, { symbols: 2 }).give(3);
    const call = await link.next();
    expect(call.keys).toEqual([]);
    expect(call.entries.map(({ name, value }) => [name, JSON.parse(value).sequence])).toEqual([
      ['md:trades:okx:S0-USDT', 1],
      ['md:trades:okx:S1-USDT', 1],
      ['md:trades:okx:S0-USDT', 2],
    ]);
    call.answer([0, '']);
    await settle();
    expect(sink.status()).toEqual({
      sink: 'redis-pubsub',
      healthy: true,
      detail: null,
      queuedRecords: 0,
      queuedBytes: 0,
      queueLimitBytes: 1024 * 1024,
      acknowledged: 3,
      dropped: 0,
    });
  });
});

describe('dropping', () => {
  it('drops while Redis is away, says so once, and publishes what comes afterwards', async () => {
    const { link, clock, lines, told, sink } = await started();
    const feed = new TickFeed(sink);
    link.trouble = { since: 0, message: 'Redis does not answer' };
    expect(feed.give(100)).toBe(100);
    expect(sink.status()).toMatchObject({
      healthy: false,
      queuedBytes: 0,
      dropped: 100,
      detail: 'Redis does not answer',
    });
    link.connect();
    await clock.advance(6_000);
    feed.give(5);
    expect(await serve(link)).toBe(5);
    expect(sink.status()).toMatchObject({ healthy: true, acknowledged: 5, dropped: 100 });
    expect(lines).toEqual([
      'warn redis-pubsub-drops: ticks are dropped: Redis does not answer',
      'info redis-pubsub-flows: ticks are published again; 100 were dropped',
    ]);
    expect(told).toEqual([]);
  });

  it('drops what a Redis that hangs does not take, within the queue’s bytes', async () => {
    const { link, clock, sink } = await started();
    link.connect();
    const feed = new TickFeed(sink);
    feed.give(1);
    const hanging = await link.next();
    feed.give(20_000);
    const { queuedBytes, queuedRecords, dropped } = sink.status();
    expect(queuedBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(queuedRecords + dropped).toBe(20_001);
    expect(dropped).toBeGreaterThan(10_000);
    hanging.answer([0, '']);
    await clock.advance(6_000);
    expect(await serve(link)).toBe(queuedRecords - 1);
    feed.give(1);
    expect(await serve(link)).toBe(1);
  });

  it('drops what is on its way and what waits when the connection is lost: nothing is published twice', async () => {
    const { link, sink } = await started();
    link.connect();
    const feed = new TickFeed(sink);
    feed.give(2);
    await settle();
    feed.give(3);
    link.lose();
    await settle();
    link.connect();
    expect(await serve(link)).toBe(0);
    expect(sink.status()).toMatchObject({ queuedRecords: 0, queuedBytes: 0, dropped: 5, acknowledged: 0 });
  });

  it('counts what Redis refuses to publish', async () => {
    const { link, lines, sink } = await started();
    link.connect();
    new TickFeed(sink).give(3);
    (await link.next()).answer([2, 'NOPERM no access to the channel']);
    await settle();
    expect(sink.status()).toMatchObject({ acknowledged: 1, dropped: 2, healthy: false });
    expect(sink.reading().errorsByCode).toEqual(new Map([['NOPERM', 1]]));
    expect(lines).toEqual([expect.stringContaining('NOPERM no access to the channel')]);
  });
});

describe('the end', () => {
  it('flushes what was taken', async () => {
    const { link, sink } = await started({ lingerMs: 1000 });
    link.connect();
    new TickFeed(sink).give(3);
    const flushed = sink.flush(10_000);
    expect(await serve(link)).toBe(3);
    expect(await flushed).toBe(true);
    expect(await sink.flush(0)).toBe(true);
  });

  it('does not flush beyond the budget', async () => {
    const { link, clock, sink } = await started();
    link.connect();
    new TickFeed(sink).give(3);
    const flushed = sink.flush(100);
    await clock.advance(100);
    expect(await flushed).toBe(false);
    await sink.close();
    expect(link.isClosed).toBe(true);
  });
});
