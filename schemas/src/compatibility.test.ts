import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAvroSchema } from './avro-types.ts';
import { RECORD_TOPICS, schemaText } from './schema-text.ts';

/** Every schema that was ever registered from a release, oldest first: `avro/released/trades.v1.avsc`. */
const released = new URL('../avro/released/', import.meta.url);

function releasedVersions(topic: string): { file: string; text: string }[] {
  return readdirSync(released)
    .filter((file) => file.startsWith(`${topic}.v`))
    .map((file) => ({ file, text: readFileSync(new URL(file, released), 'utf8') }));
}

/** Throws when a reader of `reader` cannot read every value of `writer`: Avro's schema resolution. */
function assertReads(reader: string, writer: string): void {
  parseAvroSchema(reader).createResolver(parseAvroSchema(writer));
}

describe.each(RECORD_TOPICS)('%s', (topic) => {
  const versions = releasedVersions(topic);

  it('has a released version', () => {
    expect(versions.length).toBeGreaterThan(0);
  });

  it.each(versions)('is FULL_TRANSITIVE compatible with $file', ({ text }) => {
    assertReads(schemaText(topic), text);
    assertReads(text, schemaText(topic));
  });

  it('would notice a breaking change', () => {
    type Schema = { fields: { name: string; type: unknown; default?: unknown }[] };
    const withField = (field: Schema['fields'][number]) => {
      const schema = JSON.parse(schemaText(topic)) as Schema;
      schema.fields.push(field);
      return JSON.stringify(schema);
    };
    const required = withField({ name: 'added', type: 'string' });
    expect(() => assertReads(required, schemaText(topic))).toThrow();
    const optional = withField({ name: 'added', type: ['null', 'string'], default: null });
    assertReads(optional, schemaText(topic));
    assertReads(schemaText(topic), optional);
    const retyped = schemaText(topic).replace(
      '"name": "symbol", "type": "string"',
      '"name": "symbol", "type": "int"',
    );
    expect(() => assertReads(retyped, schemaText(topic))).toThrow();
  });
});
