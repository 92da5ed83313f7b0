import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRedisCluster } from '../../scripts/redis/redis-cluster.ts';
import { startRedisWithSentinel } from '../../scripts/redis/redis-sentinel.ts';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { makeCertificates } from '../../scripts/tls/certificates.ts';
import { loadSections, readCommandLine } from '../../services/ingestor/src/config.ts';
import { hashSlot } from '../../services/ingestor/src/sinks/redis/hash-slot.ts';
import {
  createRedisPubSubSink,
  createRedisStreamsSink,
} from '../../services/ingestor/src/sinks/redis/settings.ts';
import { linesInto } from '../../services/ingestor/src/sinks/redis/testing/streams-harness.ts';
import { type FedTick, TickFeed } from '../../services/ingestor/src/sinks/redis/testing/tick-feed.ts';
import type { Sink } from '../../services/ingestor/src/sinks/sink.ts';
import { eventually } from '../support/eventually.ts';

const PASSWORD = 'correct horse';

let folder: string;
let lines: string[] = [];
let lost = 0;
const sinks: Sink[] = [];
const servers: RedisServer[] = [];
const clients: { disconnect(): void }[] = [];

beforeEach(() => {
  lines = [];
  lost = 0;
  mkdirSync(ticklineFolder, { recursive: true });
  folder = mkdtempSync(join(ticklineFolder, 'redis-access-'));
});

afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
  for (const client of clients.splice(0)) client.disconnect();
  await Promise.all(servers.splice(0).map((server) => server.remove()));
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Both sinks, as the configuration makes them from flags. */
async function started(...flags: string[]): Promise<{ streams: Sink; pubsub: Sink }> {
  const all = ['--redis.streams.enabled=true', '--redis.pubsub.enabled=true', ...flags];
  const { redis } = loadSections(readCommandLine(all), {}, ['redis']);
  const log = linesInto(lines);
  const [streams, pubsub] = [createRedisStreamsSink(redis, log)!, createRedisPubSubSink(redis, log)!];
  sinks.push(streams, pubsub);
  const listener = {
    full: () => lines.push('full'),
    drained: () => lines.push('drained'),
    lost: (_stream: unknown, { count }: { count: number }) => {
      lost += count;
    },
    repeated: () => lines.push('repeated'),
  };
  await Promise.all([streams.start(listener), pubsub.start(listener)]);
  return { streams, pubsub };
}

async function sequencesOf(client: Redis | Cluster, key: string): Promise<number[]> {
  return (await client.xrange(key, '-', '+')).map(
    ([, fields]) => (JSON.parse(fields[5]!) as FedTick).sequence,
  );
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describe('login', () => {
  /** What the sinks need, and no more. */
  const writer = `user writer on >${PASSWORD.replaceAll(' ', '')} resetkeys ~md:* resetchannels &md:* -@all +eval +xadd +xtrim +get +set +time +publish`;

  it('by ACL user and password file works with no more rights than documented', async () => {
    const server = await startRedis({ users: [writer, 'user default on nopass ~* &* +@all'] });
    servers.push(server);
    const { streams, pubsub } = await started(
      `--redis.addresses=${server.address}`,
      '--redis.username=writer',
      `--redis.passwordFile=${file('password', `${PASSWORD.replaceAll(' ', '')}\n`)}`,
      '--redis.streams.maxAgeMs=1h',
    );
    for (const sink of [streams, pubsub]) {
      new TickFeed(sink).give(10);
      expect(await sink.flush(5_000)).toBe(true);
      expect(sink.status()).toMatchObject({ healthy: true, detail: null, acknowledged: 10, dropped: 0 });
    }
    const client = new Redis(server.port, '127.0.0.1');
    clients.push(client);
    expect(await sequencesOf(client, 'md:trades:okx')).toEqual(upTo(10));
    expect(lines).toEqual([]);
  });

  it('with a wrong password is one clear error, and what is queued goes out when it is put right', async () => {
    const server = await startRedis({ users: [writer, 'user default on nopass ~* &* +@all'] });
    servers.push(server);
    const client = new Redis(server.port, '127.0.0.1');
    clients.push(client);
    const { streams, pubsub } = await started(
      `--redis.addresses=${server.address}`,
      '--redis.username=writer',
      `--redis.passwordFile=${file('password', 'battery staple')}`,
    );
    const feed = new TickFeed(streams);
    feed.give(10);
    new TickFeed(pubsub).give(10);
    await eventually('it was tried more than once', async () => {
      const log = (await client.call('ACL', 'LOG')) as unknown[][];
      return log.some((entry) => Number(entry[1]) > 2);
    });
    expect(lines.filter((line) => line.startsWith('error'))).toEqual(
      Array(2).fill(
        'error redis-unreachable: Redis refuses the login of redis.username and redis.passwordFile: WRONGPASS invalid username-password pair or user is disabled.',
      ),
    );
    expect(streams.status()).toMatchObject({ healthy: false, queuedRecords: 10, dropped: 0 });
    expect(streams.status().detail).toContain('redis.passwordFile');
    expect(pubsub.status()).toMatchObject({ healthy: false, queuedRecords: 0, dropped: 10 });
    const shown = JSON.stringify([lines, streams.status(), pubsub.status()]);
    expect(shown).not.toContain('staple');
    await client.call('ACL', 'SETUSER', 'writer', '>battery staple');
    expect(await streams.flush(60_000)).toBe(true);
    expect(await sequencesOf(client, 'md:trades:okx')).toEqual(upTo(10));
  });

  it('without the right to a key or channel is an error that names the user, and nothing is lost', async () => {
    const narrow = writer.replace('~md:*', '~other:*').replace('&md:*', '&other:*');
    const server = await startRedis({ users: [narrow, 'user default on nopass ~* &* +@all'] });
    servers.push(server);
    const { streams, pubsub } = await started(
      `--redis.addresses=${server.address}`,
      '--redis.username=writer',
      `--redis.passwordFile=${file('password', PASSWORD.replaceAll(' ', ''))}`,
    );
    new TickFeed(streams).give(10);
    new TickFeed(pubsub).give(10);
    await eventually('both say so', () =>
      [streams, pubsub].every((sink) =>
        sink.status().detail?.includes('the user of redis.username lacks a right'),
      ),
    );
    expect(pubsub.status()).toMatchObject({ dropped: 10 });
    const client = new Redis(server.port, '127.0.0.1');
    clients.push(client);
    await client.call('ACL', 'SETUSER', 'writer', '~md:*');
    expect(await streams.flush(60_000)).toBe(true);
    expect(streams.status()).toMatchObject({ acknowledged: 10, dropped: 0 });
  });
});

describe('TLS', () => {
  it('with the right authority and our own certificate carries the ticks', async () => {
    const tls = await makeCertificates(folder, 'right');
    const server = await startRedis({ tls, settings: ['tls-auth-clients yes'] });
    servers.push(server);
    const { streams } = await started(
      `--redis.addresses=${server.address}`,
      '--redis.tls.enabled=true',
      `--redis.tls.caFile=${tls.ca}`,
      `--redis.tls.certFile=${tls.cert}`,
      `--redis.tls.keyFile=${tls.key}`,
    );
    new TickFeed(streams).give(10);
    expect(await streams.flush(5_000)).toBe(true);
    expect(lines).toEqual([]);
  });

  it.each([
    ['another authority', true, 'no TLS connection to Redis with redis.tls (caFile, certFile, keyFile)'],
    ['no TLS at all', false, 'if it speaks TLS, set redis.tls.enabled'],
  ])('with %s is one clear error', async (_what, enabled, message) => {
    const [right, wrong] = [await makeCertificates(folder, 'right'), await makeCertificates(folder, 'wrong')];
    const server = await startRedis({ tls: right });
    servers.push(server);
    const { streams } = await started(
      `--redis.addresses=${server.address}`,
      ...(enabled ? ['--redis.tls.enabled=true', `--redis.tls.caFile=${wrong.ca}`] : []),
    );
    new TickFeed(streams).give(10);
    await eventually('it says so', () => streams.status().detail?.includes(message));
    expect(streams.status()).toMatchObject({ healthy: false, queuedRecords: 10 });
    expect(lines.filter((line) => line.includes('redis-unreachable')).length).toBe(2);
  });

  it('with a server that speaks none names the setting', async () => {
    const server = await startRedis();
    servers.push(server);
    const { streams } = await started(
      `--redis.addresses=${server.address}`,
      '--redis.tls.enabled=true',
      '--redis.connectTimeoutMs=500',
    );
    await eventually('it says so', () => streams.status().detail?.includes('redis.tls.enabled'));
  });
});

describe('a Cluster', () => {
  it('takes one call for each slot, survives a node that is away, and publishes', async () => {
    const nodes = await startRedisCluster();
    servers.push(...nodes);
    const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    clients.push(client);
    const { streams, pubsub } = await started(
      '--redis.mode=cluster',
      `--redis.addresses=${nodes[0]!.address},${nodes[1]!.address}`,
      '--redis.streams.key=md:{topic}:{exchange}:{symbol}',
      '--redis.requestTimeoutMs=1000',
    );
    const feed = new TickFeed(streams, { symbols: 30 });
    const keys = [...feed.given.keys()].map((symbol) => `md:trades:okx:${symbol}`);
    for (const key of keys) expect(await client.cluster('KEYSLOT', key)).toBe(hashSlot(key));
    feed.give(3000);
    expect(await streams.flush(20_000)).toBe(true);

    const heard: number[] = [];
    const subscriber = new Redis(nodes[2]!.port, '127.0.0.1');
    clients.push(subscriber);
    subscriber.on('message', (_channel, message: string) =>
      heard.push((JSON.parse(message) as FedTick).sequence),
    );
    await subscriber.subscribe('md:trades:okx:S0-USDT');
    const published = new TickFeed(pubsub);
    await eventually('what is published is heard on another node', async () => {
      published.give(1);
      await pubsub.flush(1_000);
      return heard.length > 0;
    });

    await nodes[2]!.stop('SIGKILL');
    feed.give(3000);
    await eventually('the other nodes go on', () => streams.status().acknowledged > 3000);
    await nodes[2]!.start();
    expect(await streams.flush(60_000)).toBe(true);
    expect(streams.status()).toMatchObject({ acknowledged: 6000, dropped: 0 });
    const again = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    clients.push(again);
    const slots = new Set<number>();
    for (const symbol of feed.given.keys()) {
      const key = `md:trades:okx:${symbol}`;
      slots.add(hashSlot(key));
      expect(await sequencesOf(again, key), symbol).toEqual(upTo(200));
    }
    expect(slots.size).toBeGreaterThan(20);
    expect(lost).toBe(0);
  });
});

describe('a replica', () => {
  it('is left, because the address may lead to another server now, until it takes writes', async () => {
    const master = await startRedis();
    servers.push(master);
    const replica = await startRedis({ settings: [`replicaof 127.0.0.1 ${master.port}`] });
    servers.push(replica);
    const client = new Redis(replica.port, '127.0.0.1');
    clients.push(client);
    const { streams } = await started(`--redis.addresses=${replica.address}`);
    new TickFeed(streams).give(10);
    const connections = async () =>
      Number(/total_connections_received:(\d+)/.exec(await client.info('stats'))![1]);
    const before = await connections();
    await eventually('it comes again and again', async () => (await connections()) > before + 2);
    // Told once, however often it came.
    expect(lines.filter((line) => line.includes('is a replica')).length).toBe(1);
    expect(lines.filter((line) => line.includes('redis-reached'))).toEqual([]);
    await client.replicaof('NO', 'ONE');
    expect(await streams.flush(20_000)).toBe(true);
    expect(await sequencesOf(client, 'md:trades:okx')).toEqual(upTo(10));
  });
});

describe('Sentinel', () => {
  it('names the master, and the next one when that is gone', async () => {
    const { servers: pair, sentinel, master, remove } = await startRedisWithSentinel();
    try {
      const { streams } = await started(
        '--redis.mode=sentinel',
        `--redis.addresses=${sentinel.address}`,
        `--redis.sentinel.master=${master}`,
        '--redis.requestTimeoutMs=1000',
      );
      const feed = new TickFeed(streams);
      feed.give(100);
      expect(await streams.flush(10_000)).toBe(true);
      const replica = new Redis(pair[1].port, '127.0.0.1');
      clients.push(replica);
      await eventually('the replica has it all', async () => (await replica.xlen('md:trades:okx')) === 100);
      await pair[0].stop('SIGKILL');
      feed.give(100);
      expect(await streams.flush(60_000)).toBe(true);
      expect(await sequencesOf(replica, 'md:trades:okx')).toEqual(upTo(200));
      expect(lost).toBe(0);
    } finally {
      await Promise.all(sinks.splice(0).map((sink) => sink.close()));
      await remove();
    }
  });

  it('that knows no such master is an error that names the setting', async () => {
    const { sentinel, remove } = await startRedisWithSentinel();
    try {
      const { streams } = await started(
        '--redis.mode=sentinel',
        `--redis.addresses=${sentinel.address}`,
        '--redis.sentinel.master=nobody',
      );
      await eventually('it says so', () =>
        streams.status().detail?.includes('redis.sentinel.master "nobody"'),
      );
    } finally {
      await remove();
    }
  });
});
