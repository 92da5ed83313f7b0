import type { SchemaSource } from '@tickline/schemas';

/** Asks a schema registry's Confluent API (`GET /schemas/ids/{id}`) for writers' schemas. */
export function registrySchemas(registryUrl: string): SchemaSource {
  return async (id) => {
    const response = await fetch(`${registryUrl}/schemas/ids/${id}`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) {
      throw new Error(`the registry at ${registryUrl} answers ${response.status} for schema ${id}`);
    }
    const { schema } = (await response.json()) as { schema: string };
    return schema;
  };
}
