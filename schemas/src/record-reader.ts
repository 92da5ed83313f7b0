import type avsc from 'avsc';
import { avroType, parseAvroSchema } from './avro-types.ts';
import { CONFLUENT_HEADER_BYTES } from './avro-writer.ts';
import { schemaIdOf, WireFormatError } from './confluent-format.ts';
import type { Records } from './generated/records.ts';
import type { RecordTopic } from './schema-text.ts';

/** Fetches a writer's schema by id. `@kafkajs/confluent-schema-registry`'s `getSchema` fits by its raw text. */
export type SchemaSource = (id: number) => Promise<string>;

type Resolver = ReturnType<avsc.Type['createResolver']>;

/**
 * Reads values of one topic into our record types, whatever schema version wrote them: each
 * writer's schema is fetched once and resolved to the reader's (Avro 1.12, "Schema Resolution").
 */
export class RecordReader<T extends RecordTopic> {
  private readonly reader: avsc.Type;
  private readonly writers = new Map<number, Promise<Resolver>>();
  private readonly source: SchemaSource;

  constructor(topic: T, source: SchemaSource) {
    this.reader = avroType(topic);
    this.source = source;
  }

  /** Rejects with WireFormatError for bytes that are not a record, or with the source's error. */
  async read(value: Uint8Array): Promise<Records[T]> {
    const id = schemaIdOf(value);
    let writer = this.writers.get(id);
    if (writer === undefined) {
      writer = this.resolve(id);
      this.writers.set(id, writer);
      // A failed look-up must not stick: the next value asks again.
      writer.catch(() => this.writers.delete(id));
    }
    const resolver = await writer;
    const body = Buffer.from(
      value.buffer,
      value.byteOffset + CONFLUENT_HEADER_BYTES,
      value.length - CONFLUENT_HEADER_BYTES,
    );
    try {
      return this.reader.fromBuffer(body, resolver) as Records[T];
    } catch (cause) {
      throw new WireFormatError(`schema ${id} does not fit the value: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  private async resolve(id: number): Promise<Resolver> {
    return this.reader.createResolver(parseAvroSchema(await this.source(id)));
  }
}
