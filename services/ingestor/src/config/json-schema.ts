import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXCHANGES } from '@tickline/schemas';
import { exchangeDefaults } from './exchange-defaults.ts';
import { type Format, isMisfit } from './format.ts';
import { isKey, type Key, type KeyTree } from './key.ts';
import { configurationKeys } from './keys.ts';

/** A JSON schema, draft 7: what Helm 3 and 4 both read. */
export type JsonSchema = { readonly [name: string]: unknown };

/** The chart's schema of its values, whose definitions `config` and `unit` are written here. */
export const CHART_SCHEMA_FILE: string = fileURLToPath(
  new URL('../../../../charts/tickline/values.schema.json', import.meta.url),
);

/** Keys that the chart sets itself: what they would be is said elsewhere in its values. */
const SET_BY_THE_CHART = ['shard', 'status.host', 'metrics.host', 'grpc.host'];

/** Ports that something else of the pod must know: 0, any free one, is none. */
const KNOWN_PORTS = ['status.port', 'metrics.port', 'grpc.port'];

/**
 * The ingestor's configuration as the chart's values may hold it: every key of a file with its type
 * and bounds, none that holds a secret, none that the chart sets. `null` takes a value back, as in a
 * file. Judges form alone; how values fit each other is the matter of `config/rules.ts`.
 */
export function chartConfigSchema(): JsonSchema {
  return section(configurationKeys(exchangeDefaults), '');
}

/** The name of a unit, for pins. */
export function unitSchema(): JsonSchema {
  return { type: 'string', pattern: `^(${EXCHANGES.join('|')}):[^\\s,/*-]+-[^\\s,/*]+$` };
}

/** The schema of the values a format reads. Throws where a format is described in words that are not known here. */
export function schemaOf(format: Format<unknown>): JsonSchema {
  const { type } = format;
  if (type.endsWith(', or none')) {
    const number = schemaOf({ ...format, type: type.slice(0, -', or none'.length) });
    return { anyOf: [...alternatives(number), { const: 'none' }] };
  }
  if (type === 'true or false') return { type: 'boolean' };
  if (type.startsWith('integer, ')) return { type: 'integer', ...bounds(format) };
  if (type.startsWith('number above 0')) {
    const most = /at most ([\d.]+)$/.exec(type)?.[1];
    return { type: 'number', exclusiveMinimum: 0, ...(most === undefined ? {} : { maximum: Number(most) }) };
  }
  const units = /: a whole number, or one with (.+)$/.exec(type)?.[1];
  if (units !== undefined) {
    const pattern = `^[0-9]+ ?(${units.split(', ').join('|')})$`;
    return {
      anyOf: [
        { type: 'integer', ...bounds(format) },
        { type: 'string', pattern },
      ],
    };
  }
  if (type.startsWith('one of ')) {
    const values = type.slice('one of '.length).split(', ');
    return { enum: values.map((value) => (value === "''" ? '' : value)) };
  }
  if (type.startsWith('list of: ')) {
    // A list's members are described, and not held: their bounds are those of texts.
    return { type: 'array', items: schemaOf({ ...format, type: type.slice('list of: '.length) }) };
  }
  const schemes = /^an address, (\w+):\/\/ or (\w+):\/\/$/.exec(type);
  if (schemes !== null) return { type: 'string', pattern: `^(${schemes[1]}|${schemes[2]})://[^\\s@?#]+$` };
  const pattern = TEXTS[type];
  if (pattern === undefined) throw new Error(`json-schema: no schema for a value described as "${type}"`);
  return { type: 'string', pattern };
}

/** Texts by how their formats are described. */
const TEXTS: Readonly<Record<string, string>> = {
  text: '.',
  'path of a file': '.',
  'host:port': '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/@,\\[\\]]+):[0-9]{1,5}$',
  'a symbol such as BTC-USDT': '^([^\\s,/*-]+-[^\\s,/*]+|.*\\*.*)$',
  'letters, digits, . _ - (may be empty)': '^[A-Za-z0-9._-]{0,200}$',
  'name with the places {topic}, {exchange}, {symbol}': '.',
};

/** A format tells its bounds by refusing what lies outside: the nearest valid value is the bound. */
function bounds(format: Format<unknown>): JsonSchema {
  const bound = (probe: number): number | undefined => {
    const read = format.read(probe);
    return isMisfit(read) && read.nearest !== null ? Number(read.nearest) : undefined;
  };
  const [minimum, maximum] = [bound(Number.MIN_SAFE_INTEGER), bound(Number.MAX_SAFE_INTEGER)];
  return {
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

function section(tree: KeyTree, at: string): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, node] of Object.entries(tree)) {
    const path = at === '' ? name : `${at}.${name}`;
    if (SET_BY_THE_CHART.includes(path) || (isKey(node) && node.secret)) continue;
    properties[name] = isKey(node) ? leaf(node, path) : section(node, path);
  }
  return { type: ['object', 'null'], additionalProperties: false, properties };
}

function leaf({ format, doc }: Key<unknown>, path: string): JsonSchema {
  const schema = schemaOf(format);
  const known = KNOWN_PORTS.includes(path) ? { ...schema, minimum: 1 } : schema;
  return { description: doc, ...nullable(known) };
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  return Array.isArray(schema.anyOf) ? (schema.anyOf as JsonSchema[]) : [schema];
}

function nullable(schema: JsonSchema): JsonSchema {
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...schema.enum, null] };
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'] };
  return { ...schema, anyOf: [...alternatives(schema), { type: 'null' }] };
}

const FORMATTER_COLUMNS = 110;

/** JSON as the formatter leaves it: a list of plain values is on one line if that fits. `column`: where the value begins. */
export function jsonText(value: unknown, indent = '', column = 0): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const isPlain = value.every((each) => typeof each !== 'object' || each === null);
    const line = `[${value.map((each) => JSON.stringify(each)).join(', ')}]`;
    // A comma may follow.
    if (value.length === 0 || (isPlain && column + line.length < FORMATTER_COLUMNS)) return line;
    return `[\n${value.map((each) => inner + jsonText(each, inner, inner.length)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([name, each]) => {
    const key = `${inner}${JSON.stringify(name)}: `;
    return key + jsonText(each, inner, key.length);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** The chart's schema with our definitions in the place of those it has. */
export function withConfiguration(chartSchema: JsonSchema): JsonSchema {
  return {
    ...chartSchema,
    definitions: {
      ...(chartSchema.definitions as JsonSchema),
      config: chartConfigSchema(),
      unit: unitSchema(),
    },
  };
}

const isMain =
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) {
  const before = readFileSync(CHART_SCHEMA_FILE, 'utf8');
  const after = `${jsonText(withConfiguration(JSON.parse(before) as JsonSchema))}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(CHART_SCHEMA_FILE, after);
  } else if (before !== after) {
    process.stderr.write(
      'charts/tickline/values.schema.json is not what config/keys.ts says: run node services/ingestor/src/config/json-schema.ts\n',
    );
    process.exitCode = 1;
  }
}
