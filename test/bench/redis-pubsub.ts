/** Ticks through Redis channels to a client that subscribed to all of them, see redis-delivery.ts. */
import { Redis } from 'ioredis';
import { type DeliveryResult, measureDelivery } from './redis-delivery.ts';

export const description =
  'Binance trades over loopback through Redis channels to their subscriber, Kafka off';

export function run({ messages }: { messages: number | undefined }): Promise<DeliveryResult> {
  return measureDelivery(
    {
      flags: ['--redis.pubsub.enabled=true'],
      mustBeComplete: false,
      async read({ port }, received) {
        const client = new Redis(port, '127.0.0.1');
        client.on('pmessage', (_pattern: string, channel: string, tick: string) => {
          received.take(channel, sequenceOf(tick), tick);
          received.taken();
        });
        await client.psubscribe('md:trades:binance:*');
        return () => client.disconnect();
      },
    },
    messages,
  );
}

function sequenceOf(tick: string): number {
  const from = tick.indexOf('"sequence":') + '"sequence":'.length;
  return Number(tick.slice(from, tick.indexOf(',', from)));
}
