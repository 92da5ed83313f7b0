/** Ticks through a Redis Stream to a client that reads it with XREAD, see redis-delivery.ts. */
import { Redis } from 'ioredis';
import { type DeliveryResult, measureDelivery, type Received } from './redis-delivery.ts';

export const description = 'Binance trades over loopback through a Redis Stream to its reader, Kafka off';

const KEY = 'md:trades:binance';

type Entry = [id: string, fields: string[]];

export function run({ messages }: { messages: number | undefined }): Promise<DeliveryResult> {
  return measureDelivery(
    {
      flags: ['--redis.streams.enabled=true'],
      mustBeComplete: true,
      async read({ port }, received) {
        const client = new Redis(port, '127.0.0.1');
        let ended = false;
        const reading = readAll(client, received, () => ended);
        return () => {
          ended = true;
          client.disconnect();
          void reading.catch(() => {});
        };
      },
    },
    messages,
  );
}

async function readAll(client: Redis, received: Received, hasEnded: () => boolean): Promise<void> {
  let last = '0';
  while (!hasEnded()) {
    const answer = (await client.xread('COUNT', 2000, 'BLOCK', 1000, 'STREAMS', KEY, last)) as
      | [string, Entry[]][]
      | null;
    for (const [id, fields] of answer?.[0]?.[1] ?? []) {
      // Fields: s, symbol, n, sequence, v, tick.
      received.take(fields[1]!, Number(fields[3]), fields[5]!);
      last = id;
    }
    received.taken();
  }
}
