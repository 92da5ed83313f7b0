import { DEFAULT_TOPIC_PREFIX, type Quote, type Status, TICK_CHANNELS, type Trade } from '@tickline/schemas';
import { nowMicros } from './now-micros.ts';
import { redisClient } from './redis-client.ts';
import type { Subscriber, SubscriberContext } from './subscriber.ts';
import { stampOf } from './tick-identity.ts';

/** The beginning of a channel's name, by the default of `redis.pubsub.channel`: `md:{topic}:{exchange}:{symbol}`. */
const BEGINNING = DEFAULT_TOPIC_PREFIX.replace('.', ':');

/** Hears all channels of Redis Pub/Sub (PSUBSCRIBE). Resolves when it is subscribed. */
export async function subscribeRedisPubSub(
  address: string,
  { listener, log }: SubscriberContext,
): Promise<Subscriber> {
  const client = redisClient(address, 'tickline-demo-pubsub', log);
  const heard = (name: string, message: string): void => {
    const topic = name.slice(BEGINNING.length, name.indexOf(':', BEGINNING.length));
    const channel = TICK_CHANNELS.find((each) => each === topic);
    if (channel !== undefined) {
      const record = JSON.parse(message) as Trade | Quote;
      listener.tick(channel, stampOf(channel, record), nowMicros(), record);
    } else if (topic === 'status') {
      listener.status(JSON.parse(message) as Status);
    }
  };
  client.on('pmessage', (_pattern: string, name: string, message: string) => {
    try {
      heard(name, message);
    } catch (error) {
      listener.failed(new Error(`${name}: ${(error as Error).message}`));
    }
  });
  try {
    await client.connect();
    await client.psubscribe(`${BEGINNING}*`);
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return {
    ready: async () => {},
    async reachEnd(timeoutMs) {
      // The answer comes behind every message that was published before.
      const late = AbortSignal.timeout(timeoutMs);
      await Promise.race([
        client.punsubscribe(),
        new Promise((_, reject) =>
          late.addEventListener('abort', () => reject(new Error('Redis Pub/Sub does not answer'))),
        ),
      ]);
    },
    async stop() {
      client.disconnect();
    },
  };
}
