/**
 * Writes `src/generated/records.ts` from `avro/*.avsc`. `--check` writes nothing and exits 1 when
 * the file differs: that is how `make check` notices a schema that was changed alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { RECORD_TOPICS, schemaText } from './src/schema-text.ts';

interface Field {
  name: string;
  type: unknown;
  doc?: string;
}

interface RecordSchema {
  name: string;
  doc: string;
  fields: Field[];
}

const target = new URL('./src/generated/records.ts', import.meta.url);

function typeOf(type: unknown): string {
  if (Array.isArray(type)) {
    const members = type.filter((member) => member !== 'null').map(typeOf);
    return [...members, ...(type.includes('null') ? ['null'] : [])].join(' | ');
  }
  if (typeof type === 'object' && type !== null) {
    const complex = type as { type: string; logicalType?: string; symbols?: string[] };
    if (complex.logicalType === 'decimal') return 'string';
    if (complex.logicalType === 'timestamp-micros') return 'number';
    if (complex.type === 'enum') return (complex.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ');
    return typeOf(complex.type);
  }
  switch (type) {
    case 'string':
    case 'boolean':
      return type;
    case 'int':
    case 'long':
      return 'number';
    default:
      throw new Error(`generate: no TypeScript type for Avro ${JSON.stringify(type)}`);
  }
}

function interfaceOf(schema: RecordSchema): string {
  const fields = schema.fields.map(
    (field) => `  /** ${field.doc} */\n  ${field.name}: ${typeOf(field.type)};`,
  );
  return `/** ${schema.doc} */\nexport interface ${schema.name} {\n${fields.join('\n')}\n}\n`;
}

const schemas = RECORD_TOPICS.map((topic) => ({
  topic,
  schema: JSON.parse(schemaText(topic)) as RecordSchema,
}));
const text = [
  '// Written by schemas/generate.ts from schemas/avro/*.avsc; change those.\n',
  '// Decimals are plain text, times are microseconds since the epoch.\n',
  ...schemas.map(({ schema }) => `\n${interfaceOf(schema)}`),
  '\n/** Record type by topic. */\nexport interface Records {\n',
  ...schemas.map(({ topic, schema }) => `  ${topic}: ${schema.name};\n`),
  '}\n',
].join('');

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write(
      'schemas/src/generated/records.ts differs from schemas/avro: run `node schemas/generate.ts`\n',
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
