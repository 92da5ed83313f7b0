import { RECORD_TOPICS, type RecordTopic, topicName, valueSubject } from '@tickline/schemas';
import type { FleetConfig } from './config.ts';
import { RegistryClient, registeredSchema } from './registry-client.ts';

/** Schemas that nobody registered: `provision` is to be run. */
export class SchemasMissingError extends Error {
  override name = 'SchemasMissingError';
}

/**
 * The registry's id of each record topic's schema, looked up and never registered. Rejects with
 * SchemasMissingError, or with RegistryUnreachableError, after which the caller may try again.
 */
export async function resolveSchemaIds(
  config: Pick<FleetConfig, 'kafka' | 'registry'>,
  signal: AbortSignal,
): Promise<Readonly<Record<RecordTopic, number>>> {
  const client = new RegistryClient(config.registry, signal);
  try {
    const found = await Promise.all(
      RECORD_TOPICS.map(async (topic) => {
        const subject = valueSubject(topicName(config.kafka.topicPrefix, topic));
        return { topic, subject, id: await client.idOf(subject, registeredSchema(topic)) };
      }),
    );
    const missing = found.filter(({ id }) => id === null).map(({ subject }) => subject);
    if (missing.length > 0) {
      throw new SchemasMissingError(
        `the schema registry at ${config.registry.url} lacks our schema of ${missing.join(', ')}: run \`tickline-ingestor provision\` first (nothing is registered at run time)`,
      );
    }
    return Object.fromEntries(found.map(({ topic, id }) => [topic, id])) as Record<RecordTopic, number>;
  } finally {
    client.close();
  }
}
