import { Redis } from 'ioredis';
import { waitUntil } from '../stack/wait-until.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A master, its replica, and the one sentinel that watches them. */
export interface SentinelSetup {
  readonly servers: readonly [RedisServer, RedisServer];
  readonly sentinel: RedisServer;
  /** The name by which the sentinel knows the master. */
  readonly master: string;
  remove(): Promise<void>;
}

/** Starts them; the sentinel takes a master for down after half a second. */
export async function startRedisWithSentinel(): Promise<SentinelSetup> {
  const master = 'main';
  const running: RedisServer[] = [];
  const remove = async () => void (await Promise.all(running.map((server) => server.remove())));
  try {
    const first = await startRedis();
    running.push(first);
    const second = await startRedis({ settings: [`replicaof 127.0.0.1 ${first.port}`] });
    running.push(second);
    const sentinel = await startRedis({
      args: ['--sentinel'],
      settings: [
        `sentinel monitor ${master} 127.0.0.1 ${first.port} 1`,
        `sentinel down-after-milliseconds ${master} 500`,
        `sentinel failover-timeout ${master} 5000`,
      ],
    });
    running.push(sentinel);
    const client = new Redis(sentinel.port, '127.0.0.1');
    try {
      await waitUntil(
        async () => {
          const replicas = (await client.call('SENTINEL', 'REPLICAS', master)) as string[][];
          // As long as the link's state is unknown it could not take over.
          return (
            replicas.some((replica) => replica[replica.indexOf('master-link-status') + 1] === 'ok') ||
            undefined
          );
        },
        { what: 'the sentinel to know the replica', timeoutMs: 30_000 },
      );
    } finally {
      client.disconnect();
    }
    return { servers: [first, second], sentinel, master, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
