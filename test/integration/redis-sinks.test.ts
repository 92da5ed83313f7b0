import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { systemClock } from '../../services/ingestor/src/sinks/clock.ts';
import { IoredisLink } from '../../services/ingestor/src/sinks/redis/ioredis-link.ts';
import type {
  RedisServerOptions,
  RedisStreamsOptions,
} from '../../services/ingestor/src/sinks/redis/options.ts';
import { RedisPubSubSink } from '../../services/ingestor/src/sinks/redis/redis-pubsub-sink.ts';
import { RedisStreamsSink } from '../../services/ingestor/src/sinks/redis/redis-streams-sink.ts';
import { linesInto } from '../../services/ingestor/src/sinks/redis/testing/streams-harness.ts';
import { type FedTick, TickFeed } from '../../services/ingestor/src/sinks/redis/testing/tick-feed.ts';
import type { Sink, SinkLoss, StreamDescriptor } from '../../services/ingestor/src/sinks/sink.ts';
import { eventually } from '../support/eventually.ts';

const MIB = 1024 * 1024;

let server: RedisServer;
let client: Redis;
let lines: string[] = [];
let lost: (SinkLoss & { readonly symbol: string })[] = [];
const open: Sink[] = [];

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.port, '127.0.0.1');
});

beforeEach(async () => {
  lines = [];
  lost = [];
  await client.flushall();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((sink) => sink.close()));
});

afterAll(async () => {
  client?.disconnect();
  await server?.remove();
});

function linkTo(sink: string, given: Partial<RedisServerOptions> = {}): IoredisLink {
  const options: RedisServerOptions = {
    mode: 'single',
    addresses: [server.address],
    master: null,
    database: 0,
    clientName: 'redis-sinks-test',
    login: null,
    sentinelLogin: null,
    tls: null,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    ...given,
  };
  return new IoredisLink(options, { sink, log: linesInto(lines), clock: systemClock, random: Math.random });
}

const listener = {
  full: () => lines.push('full'),
  drained: () => lines.push('drained'),
  lost: ({ symbol }: StreamDescriptor, loss: SinkLoss) => lost.push({ symbol, ...loss }),
  repeated: () => lines.push('repeated'),
};

async function streamsSink(
  given: Partial<RedisStreamsOptions> = {},
  link: Partial<RedisServerOptions> = {},
): Promise<RedisStreamsSink> {
  const options: RedisStreamsOptions = {
    format: 'json',
    key: 'md:{topic}:{exchange}',
    maxLength: Number.POSITIVE_INFINITY,
    maxAgeMs: Number.POSITIVE_INFINITY,
    isCluster: link.mode === 'cluster',
    queueBytes: 64 * MIB,
    batchBytes: 128 * 1024,
    lingerMs: 1,
    log: linesInto(lines),
    ...given,
  };
  const sink = new RedisStreamsSink(options, linkTo('redis-streams', link));
  open.push(sink);
  await sink.start(listener);
  return sink;
}

/** An entry as clients get it: id, and fields and values in turn. */
type Entry = [id: string, fields: string[]];

function tickOf([, fields]: Entry): FedTick {
  expect([fields[0], fields[2], fields[4]]).toEqual(['s', 'n', 'v']);
  const tick = JSON.parse(fields[5]!) as FedTick;
  expect([fields[1], Number(fields[3])]).toEqual([tick.symbol, tick.sequence]);
  return tick;
}

async function wholeStream(key: string): Promise<FedTick[]> {
  return (await client.xrange(key, '-', '+')).map(tickOf);
}

function bySymbol(ticks: readonly FedTick[]): Map<string, number[]> {
  const sequences = new Map<string, number[]>();
  for (const { symbol, sequence } of ticks) {
    sequences.set(symbol, [...(sequences.get(symbol) ?? []), sequence]);
  }
  return sequences;
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

function expectAllInOrder(ticks: readonly FedTick[], feed: TickFeed): void {
  const read = bySymbol(ticks);
  expect(read.size).toBe(feed.given.size);
  for (const [symbol, last] of feed.given) expect(read.get(symbol), symbol).toEqual(upTo(last));
}

describe('streams', () => {
  it('hold what was sent, in order, one entry for each tick', async () => {
    const sink = await streamsSink();
    const feed = new TickFeed(sink, { symbols: 20 });
    await feed.giveInTurns(20_000);
    expect(await sink.flush(20_000)).toBe(true);
    expectAllInOrder(await wholeStream('md:trades:okx'), feed);
    expect(sink.status()).toMatchObject({ healthy: true, acknowledged: 20_000, queuedBytes: 0, dropped: 0 });
    // The writer's mark is all that is there besides, and it goes by itself.
    const [mark] = await client.keys('md:writer:*');
    expect(await client.pttl(mark!)).toBeGreaterThan(3_000_000);
    expect((await client.dbsize()) - 1).toBe(1);
    expect(lines).toEqual([]);
  });

  it('hold bytes that are no text as they are', async () => {
    const sink = await streamsSink({ format: 'avro', key: '{topic}:{exchange}:{symbol}' });
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => index & 0xff));
    const descriptor = { topic: 'trades', exchange: 'okx', symbol: 'ÄÖ-USDT', channel: 'trades', key: '' };
    const stream = sink.stream({ ...descriptor, overflow: 'keep' });
    stream.append({ bytes, start: 0, end: 1024, timestampMs: 0, conflatedAt: 0, sequence: 2 ** 40 });
    expect(await sink.flush(5_000)).toBe(true);
    const [[, fields]] = (await client.xrangeBuffer('trades:okx:ÄÖ-USDT', '-', '+')) as [[Buffer, Buffer[]]];
    expect(fields.map((each, index) => (index === 5 ? each : each.toString()))).toEqual([
      's',
      'ÄÖ-USDT',
      'n',
      String(2 ** 40),
      'v',
      bytes,
    ]);
  });

  it('are kept short by length and by age, about', async () => {
    const short = await streamsSink({ key: 'short:{topic}:{exchange}', maxLength: 1000 });
    const young = await streamsSink({ key: 'young:{topic}:{exchange}', maxAgeMs: 1000 });
    const feeds = [new TickFeed(short), new TickFeed(young)];
    await feeds[0]!.giveInTurns(10_000);
    await feeds[1]!.giveInTurns(3000);
    expect(await short.flush(10_000)).toBe(true);
    expect(await young.flush(10_000)).toBe(true);
    const length = await client.xlen('short:trades:okx');
    expect(length).toBeGreaterThanOrEqual(1000);
    // Redis trims whole nodes, of 100 entries at most.
    expect(length).toBeLessThan(1000 + 2 * 100);
    expect((await wholeStream('short:trades:okx')).at(-1)!.sequence).toBe(10_000);
    expect(await client.xlen('young:trades:okx')).toBe(3000);
    const [[last]] = (await client.xrevrange('young:trades:okx', '+', '-', 'COUNT', 1)) as [Entry];
    await eventually('the entries are older than a second', async () => {
      const [seconds] = await client.time();
      return Number(seconds) * 1000 > Number(last.split('-')[0]) + 2000;
    });
    feeds[1]!.give(1);
    expect(await young.flush(5_000)).toBe(true);
    expect(await client.xlen('young:trades:okx')).toBeLessThan(100);
  });

  it('append nothing twice when a call is repeated whose answer was lost', async () => {
    const sink = await streamsSink({}, { requestTimeoutMs: 300 });
    const feed = new TickFeed(sink, { symbols: 3 });
    for (let round = 1; round <= 3; round++) {
      server.freeze();
      try {
        await feed.giveInTurns(300);
        // The call is in the socket of the stopped server, which carries it out when it wakes; so is its repetition.
        await eventually('the call was given up', () => sink.counters.retries >= round);
      } finally {
        server.thaw();
      }
      await eventually('all is confirmed', () => sink.counters.records === feed.total);
    }
    expectAllInOrder(await wholeStream('md:trades:okx'), feed);
    expect(lost).toEqual([]);
  });

  it('lose only what goes to a key that is no stream', async () => {
    await client.set('trades:okx:S1-USDT', 'mine');
    const sink = await streamsSink({ key: '{topic}:{exchange}:{symbol}' });
    const feed = new TickFeed(sink, { symbols: 3 });
    feed.give(30);
    expect(await sink.flush(5_000)).toBe(true);
    expect(await client.xlen('trades:okx:S0-USDT')).toBe(10);
    expect(await client.get('trades:okx:S1-USDT')).toBe('mine');
    expect(lost).toMatchObject([{ symbol: 'S1-USDT', firstSequence: 1, lastSequence: 10, count: 10 }]);
    expect(sink.status()).toMatchObject({ acknowledged: 20, dropped: 10 });
  });

  it('tell what Redis had confirmed and came back without', async () => {
    const forgetful = await startRedis({ settings: ['appendonly no'] });
    try {
      const sink = await streamsSink({}, { addresses: [forgetful.address] });
      const feed = new TickFeed(sink, { symbols: 2 });
      feed.give(1000);
      expect(await sink.flush(5_000)).toBe(true);
      await forgetful.stop('SIGKILL');
      feed.give(1000);
      await forgetful.start();
      expect(await sink.flush(20_000)).toBe(true);
      expect(
        lost.map(({ symbol, firstSequence, lastSequence, count }) => [
          symbol,
          firstSequence,
          lastSequence,
          count,
        ]),
      ).toEqual([
        ['S0-USDT', 1, 500, 500],
        ['S1-USDT', 1, 500, 500],
      ]);
      expect(sink.status()).toMatchObject({ acknowledged: 1000, dropped: 1000 });
      const reader = new Redis(forgetful.port, '127.0.0.1');
      const there = bySymbol((await reader.xrange('md:trades:okx', '-', '+')).map(tickOf));
      reader.disconnect();
      expect(there.get('S0-USDT')).toEqual(upTo(1000).slice(500));
      expect(lines.filter((line) => line.includes('redis-lost-entries')).length).toBe(1);
    } finally {
      await forgetful.remove();
    }
  });

  it('wait while Redis has no memory, and go on when it has', async () => {
    const sink = await streamsSink();
    const feed = new TickFeed(sink);
    await client.config('SET', 'maxmemory', '1');
    try {
      feed.give(100);
      await eventually('Redis refuses', () => sink.status().detail?.includes('raise its maxmemory'));
      expect(await client.exists('md:trades:okx')).toBe(0);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    expect(await sink.flush(10_000)).toBe(true);
    expectAllInOrder(await wholeStream('md:trades:okx'), feed);
    expect(sink.status()).toMatchObject({ detail: null, dropped: 0 });
  });
});

describe('consumer groups', () => {
  /** Reads and acknowledges up to so many; returns what it read. */
  async function consume(reader: Redis, consumer: string, count: number): Promise<FedTick[]> {
    const answer = await reader.xreadgroup(
      'GROUP',
      'bots',
      consumer,
      'COUNT',
      count,
      'BLOCK',
      200,
      'STREAMS',
      'md:trades:okx',
      '>',
    );
    const entries = ((answer as [string, Entry[]][] | null)?.[0]?.[1] ?? []) as Entry[];
    if (entries.length > 0) await reader.xack('md:trades:okx', 'bots', ...entries.map(([id]) => id));
    return entries.map(tickOf);
  }

  it('give a consumer that was away what it missed', async () => {
    const sink = await streamsSink();
    const feed = new TickFeed(sink, { symbols: 5 });
    await client.xgroup('CREATE', 'md:trades:okx', 'bots', '$', 'MKSTREAM');
    feed.give(100);
    expect(await sink.flush(5_000)).toBe(true);
    const read = await consume(client, 'one', 60);
    // Away: nothing reads while these are written.
    feed.give(900);
    expect(await sink.flush(5_000)).toBe(true);
    while (read.length < 1000) {
      const more = await consume(client, 'one', 500);
      expect(more.length).toBeGreaterThan(0);
      read.push(...more);
    }
    expectAllInOrder(read, feed);
    expect((await client.xpending('md:trades:okx', 'bots'))[0]).toBe(0);
  });

  it('let another consumer claim what one left pending', async () => {
    const sink = await streamsSink();
    const feed = new TickFeed(sink, { symbols: 2 });
    await client.xgroup('CREATE', 'md:trades:okx', 'bots', '$', 'MKSTREAM');
    feed.give(50);
    expect(await sink.flush(5_000)).toBe(true);
    await client.xreadgroup('GROUP', 'bots', 'dead', 'COUNT', 50, 'STREAMS', 'md:trades:okx', '>');
    const [, claimed] = (await client.xautoclaim('md:trades:okx', 'bots', 'heir', 0, '0', 'COUNT', 100)) as [
      string,
      Entry[],
    ];
    expectAllInOrder(claimed.map(tickOf), feed);
  });

  it('resume after a kill in the middle of 100,000 trades, with none missing', async () => {
    const sink = await streamsSink();
    const feed = new TickFeed(sink, { symbols: 10 });
    await client.xgroup('CREATE', 'md:trades:okx', 'bots', '0', 'MKSTREAM');
    const feeding = feed.giveInTurns(100_000);
    const read: FedTick[] = [];
    const first = new Redis(server.port, '127.0.0.1');
    while (read.length < 30_000) read.push(...(await consume(first, 'one', 1000)));
    // It dies with a thousand read and not acknowledged.
    await first.xreadgroup(
      'GROUP',
      'bots',
      'one',
      'COUNT',
      1000,
      'BLOCK',
      1000,
      'STREAMS',
      'md:trades:okx',
      '>',
    );
    first.disconnect();
    await feeding;
    expect(await sink.flush(30_000)).toBe(true);
    for (let from = '0-0'; ; ) {
      const [next, entries] = (await client.xautoclaim(
        'md:trades:okx',
        'bots',
        'two',
        0,
        from,
        'COUNT',
        500,
      )) as [string, Entry[]];
      read.push(...entries.map(tickOf));
      if (entries.length > 0) await client.xack('md:trades:okx', 'bots', ...entries.map(([id]) => id));
      if (next === '0-0') break;
      from = next;
    }
    while (read.length < 100_000) {
      const more = await consume(client, 'two', 1000);
      expect(more.length).toBeGreaterThan(0);
      read.push(...more);
    }
    for (const [symbol, sequences] of bySymbol(read)) {
      expect(new Set(sequences).size, symbol).toBe(10_000);
      expect(sequences.length, symbol).toBe(10_000);
    }
    expect((await client.xpending('md:trades:okx', 'bots'))[0]).toBe(0);
    expect(sink.status()).toMatchObject({ acknowledged: 100_000, dropped: 0 });
  });
});

describe('channels', () => {
  async function pubSubSink(
    queueBytes = 8 * MIB,
    link: Partial<RedisServerOptions> = {},
  ): Promise<RedisPubSubSink> {
    const sink = new RedisPubSubSink(
      {
        format: 'json',
        channel: 'md:{topic}:{exchange}:{symbol}',
        queueBytes,
        batchBytes: 64 * 1024,
        lingerMs: 0,
        log: linesInto(lines),
      },
      linkTo('redis-pubsub', link),
    );
    open.push(sink);
    await sink.start(listener);
    return sink;
  }

  /** Hears one channel or a pattern. */
  async function subscriber(
    pattern: string,
  ): Promise<{ heard: FedTick[]; channels: Set<string>; end: () => void }> {
    const reader = new Redis(server.port, '127.0.0.1');
    const heard: FedTick[] = [];
    const channels = new Set<string>();
    reader.on('pmessage', (_pattern: string, channel: string, message: string) => {
      heard.push(JSON.parse(message) as FedTick);
      channels.add(channel);
    });
    await reader.psubscribe(pattern);
    return { heard, channels, end: () => reader.disconnect() };
  }

  it('carry each symbol’s ticks in order, to who listens', async () => {
    const sink = await pubSubSink();
    const all = await subscriber('md:trades:*');
    const one = await subscriber('md:trades:okx:S3-USDT');
    const feed = new TickFeed(sink, { symbols: 5 });
    await feed.giveInTurns(10_000);
    expect(await sink.flush(10_000)).toBe(true);
    await eventually('all is heard', () => all.heard.length === 10_000 && one.heard.length === 2_000);
    expectAllInOrder(all.heard, feed);
    expect([...all.channels].sort()).toEqual(upTo(5).map((n) => `md:trades:okx:S${n - 1}-USDT`));
    expect(bySymbol(one.heard)).toEqual(new Map([['S3-USDT', upTo(2_000)]]));
    expect(sink.status()).toMatchObject({ healthy: true, acknowledged: 10_000, dropped: 0 });
    all.end();
    one.end();
  });

  it('drop what a Redis that hangs does not take, counted, and go on with what is new', async () => {
    const sink = await pubSubSink(MIB, { requestTimeoutMs: 500 });
    const all = await subscriber('md:trades:*');
    const feed = new TickFeed(sink, { symbols: 5 });
    server.freeze();
    try {
      await feed.giveInTurns(20_000);
      expect(sink.status().queuedBytes).toBeLessThanOrEqual(MIB);
      await eventually(
        'the connection was given up',
        () => !sink.status().healthy && sink.status().queuedRecords === 0,
      );
      expect(sink.status()).toMatchObject({ dropped: 20_000, queuedBytes: 0 });
    } finally {
      server.thaw();
    }
    await eventually('Redis is back', () => lines.some((line) => line.includes('redis-reached')));
    feed.give(100);
    expect(await sink.flush(5_000)).toBe(true);
    expect(sink.status()).toMatchObject({ acknowledged: 100, dropped: 20_000 });
    await eventually('what is new is heard', () => all.heard.at(-1)?.sequence === 4020);
    expect(lines.filter((line) => line.includes('redis-pubsub-drops')).length).toBe(1);
    all.end();
  });
});
