import { writeFileSync } from 'node:fs';
import type { ExchangeName } from '@tickline/schemas';

/** What the pods' configuration depends on. */
export interface PodConfiguration {
  readonly shards: number;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
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

/** Kept on disk in each partition: the demo's reader is never far behind. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** The configuration of all pods, as text: JSON, which is YAML too. The shard's index comes by the command line. */
export function podConfiguration({ shards, brokers, registryUrl, exchanges }: PodConfiguration): string {
  const retention = Object.fromEntries(
    ['trades', 'quotes', 'status', 'invalid'].map((topic) => [topic, { ms: '1h', bytes: KEPT_BYTES }]),
  );
  const configuration = {
    shard: { count: shards },
    exchanges,
    kafka: { brokers },
    topics: { retention },
    registry: { url: registryUrl },
    status: { port: 0 },
    metrics: { port: 0 },
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** Writes the configuration for `--config`. */
export function writePodConfiguration(file: string, configuration: PodConfiguration): void {
  writeFileSync(file, podConfiguration(configuration));
}
