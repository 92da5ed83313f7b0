import { writeFileSync } from 'node:fs';
import type { ExchangeName } from '@tickline/schemas';
import type { SinkName } from './sinks.ts';

/** What the pods' configuration depends on. */
export interface PodConfiguration {
  readonly shards: number;
  /** Null: no Kafka. */
  readonly kafka: { readonly brokers: readonly string[]; readonly registryUrl: string } | null;
  /** Null: no Redis. host:port, and which of its sinks. */
  readonly redis: { readonly address: string; readonly sinks: readonly SinkName[] } | null;
  /** Null: no gRPC. The address of each shard's server. */
  readonly grpc: { readonly addresses: readonly string[] } | null;
  /** Symbols of each exchange, and its endpoints where they are not the real ones. */
  readonly exchanges: Readonly<
    Partial<
      Record<
        ExchangeName,
        {
          readonly symbols: readonly string[];
          readonly endpoints?: { readonly websocket: string; readonly rest: string };
        }
      >
    >
  >;
}

/** Kept on disk in each partition: the demo's subscriber is never far behind. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Entries kept of each Redis stream, likewise: some 40 MB each. */
const KEPT_ENTRIES = 100_000;

/**
 * The configuration of all pods, as text: JSON, which is YAML too. The shard's index and its gRPC port come by the
 * command line.
 */
export function podConfiguration({ shards, kafka, redis, grpc, exchanges }: PodConfiguration): string {
  const retention = Object.fromEntries(
    ['trades', 'quotes', 'status', 'invalid'].map((topic) => [topic, { ms: '1h', bytes: KEPT_BYTES }]),
  );
  const configuration = {
    shard: { count: shards },
    exchanges,
    ...(kafka === null
      ? { kafka: { enabled: false } }
      : { kafka: { brokers: kafka.brokers }, topics: { retention }, registry: { url: kafka.registryUrl } }),
    ...(redis === null
      ? {}
      : {
          redis: {
            addresses: [redis.address],
            streams: { enabled: redis.sinks.includes('redisStreams'), maxLength: KEPT_ENTRIES },
            pubsub: { enabled: redis.sinks.includes('redisPubSub') },
          },
        }),
    ...(grpc === null ? {} : { grpc: { enabled: true, peerAddress: grpc.addresses.join(',') } }),
    status: { port: 0 },
    metrics: { port: 0 },
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** Writes the configuration for `--config`. */
export function writePodConfiguration(file: string, configuration: PodConfiguration): void {
  writeFileSync(file, podConfiguration(configuration));
}
