import { Redis } from 'ioredis';

/** A client for a subscriber: commands fail when the connection is lost, instead of being sent again unseen. */
export function redisClient(address: string, name: string, log: (line: string) => void): Redis {
  const at = address.lastIndexOf(':');
  const client = new Redis({
    host: address.slice(0, at),
    port: Number(address.slice(at + 1)),
    connectionName: name,
    lazyConnect: true,
    protocol: 2,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 100,
  });
  client.on('error', (error: Error) => log(`${name}: ${error.message}`));
  return client;
}
