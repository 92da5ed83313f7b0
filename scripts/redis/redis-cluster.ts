import { Redis } from 'ioredis';
import { freePort } from '../stack/free-port.ts';
import { waitUntil } from '../stack/wait-until.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

const SLOTS = 16_384;

/** Starts a Redis Cluster of three masters without replicas on 127.0.0.1, its slots spread evenly. */
export async function startRedisCluster(): Promise<readonly RedisServer[]> {
  const nodes: RedisServer[] = [];
  const clients: Redis[] = [];
  try {
    const buses: number[] = [];
    for (let index = 0; index < 3; index++) {
      const bus = await freePort();
      buses.push(bus);
      nodes.push(
        await startRedis({
          settings: [
            'cluster-enabled yes',
            `cluster-port ${bus}`,
            'cluster-node-timeout 2000',
            'cluster-require-full-coverage no',
          ],
        }),
      );
    }
    for (const [index, { port }] of nodes.entries()) {
      const client = new Redis(port, '127.0.0.1');
      clients.push(client);
      const [from, to] = [index, index + 1].map((each) => Math.floor((each * SLOTS) / nodes.length));
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from!, to! - 1);
    }
    for (const [index, { port }] of nodes.entries()) {
      await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[index]!);
    }
    for (const client of clients) {
      await waitUntil(
        async () => {
          const info = String(await client.call('CLUSTER', 'INFO'));
          return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info) ? true : undefined;
        },
        { what: 'the Redis Cluster to agree', timeoutMs: 30_000 },
      );
    }
    return nodes;
  } catch (error) {
    await Promise.all(nodes.map((node) => node.remove()));
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
}
