import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchangeDefaults } from './exchange-defaults.ts';
import { type Format, isMisfit } from './format.ts';
import {
  CHART_SCHEMA_FILE,
  chartConfigSchema,
  type JsonSchema,
  jsonText,
  schemaOf,
  unitSchema,
  withConfiguration,
} from './json-schema.ts';
import { flatKeys } from './key.ts';
import { configurationKeys } from './keys.ts';

const ajv = new Ajv({ strict: false });
const keys = [...flatKeys(configurationKeys(exchangeDefaults))].filter(
  ([path, key]) => !path.startsWith('shard.') && !key.secret,
);

/** Plain values of YAML that are near what some key takes: numbers at the bounds, quantities, names. */
const value = fc.oneof(
  fc.boolean(),
  fc.integer({ min: -2, max: 5 }),
  fc.integer(),
  fc.constantFrom(65_535, 65_536, 1024 ** 2, 1024 ** 2 - 1, 16 * 1024 ** 2, 16 * 1024 ** 2 + 1, 600_001),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.constantFrom('', 'none', 'text', '20s', '7 d', '5m', '128MiB', '1 GiB', '1.5GiB', '10Kib', '12'),
  fc.constantFrom('json', 'avro', 'zstd', 'plain', 'single', 'debug', 'scram-sha-512', 'Info'),
  fc.constantFrom('kafka:9092', '[::1]:9092', 'kafka', 'http://kafka:9092', 'a b:1', 'host:99999'),
  fc.constantFrom('wss://x.example/ws', 'https://x.example', 'https://u:p@x', 'ftp://x', 'http://x?q=1'),
  fc.constantFrom('BTC-USDT', '*', '*-USDT', 'BTCUSDT', 'md.', 'a/b', 'md:{topic}'),
  fc.array(fc.constantFrom('trades', 'quotes', 'books', 'BTC-USDT', 'kafka:9092', 'x', 3), { maxLength: 3 }),
);

describe('the schema of a format', () => {
  it.each(keys)('takes what %s takes', (_, { format }) => {
    const takes = ajv.compile(schemaOf(format));
    fc.assert(
      fc.property(value, (given) => {
        if (given !== null && !isMisfit(format.read(given))) expect(takes(given), String(given)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each(keys.filter(([, { format }]) => isClosed(format)))('refuses what %s refuses', (_, { format }) => {
    const takes = ajv.compile(schemaOf(format));
    fc.assert(
      fc.property(value, (given) => {
        // A quantity in text is judged by its form alone: "999d" of one that is at most an hour passes.
        if (typeof given === 'string' && format.type.includes('a whole number, or one with')) return;
        if (isMisfit(format.read(given))) expect(takes(given), String(given)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses to guess at words it does not know', () => {
    const strange: Format<unknown> = {
      type: 'a colour',
      read: (given) => given,
      parse: (text) => text,
      show: String,
    };
    expect(() => schemaOf(strange)).toThrow('no schema for a value described as "a colour"');
  });

  it('holds the bounds of numbers and of what has units', () => {
    expect(schemaOf(formatOf('status.port'))).toEqual({ type: 'integer', minimum: 0, maximum: 65_535 });
    expect(schemaOf(formatOf('topics.retention.trades.ms'))).toEqual({
      anyOf: [
        { type: 'integer', minimum: 60_000 },
        { type: 'string', pattern: '^[0-9]+ ?(s|m|h|d|ms)$' },
        { const: 'none' },
      ],
    });
  });
});

describe('the schema of the configuration in the chart', () => {
  const takes = ajv.compile(chartConfigSchema());

  it('is the one in values.schema.json', () => {
    const text = readFileSync(CHART_SCHEMA_FILE, 'utf8');
    expect(`${jsonText(withConfiguration(JSON.parse(text) as JsonSchema))}\n`).toBe(text);
  });

  it.each([
    ['a password for Kafka', { kafka: { sasl: { password: 'x' } } }],
    ['a password for the registry', { registry: { password: 'x' } }],
    ['a password for Redis', { redis: { password: 'x' } }],
    ['a password for sentinels', { redis: { sentinel: { password: 'x' } } }],
    ['shards', { shard: { count: 2 } }],
    ['an address to listen on', { metrics: { host: '0.0.0.0' } }],
    ['a port that nobody could know', { metrics: { port: 0 } }],
    ['an unknown key', { kafka: { broker: 'kafka:9092' } }],
    ['an unknown exchange', { exchanges: { bitfinex: { symbols: ['*'] } } }],
    ['an address with a password in it', { registry: { url: 'https://user:secret@registry' } }],
  ])('refuses %s', (_, config) => {
    expect(takes(config)).toBe(false);
  });

  it('takes null for whatever there is, as files do', () => {
    expect(
      takes({ kafka: null, exchanges: { binance: null }, registry: { url: null, timeoutMs: null } }),
    ).toBe(true);
  });

  it('holds no secret key', () => {
    const secrets = [...flatKeys(configurationKeys(exchangeDefaults))].filter(([, key]) => key.secret);
    expect(secrets.length).toBeGreaterThan(3);
    for (const [path] of secrets) {
      const names = path.split('.');
      const config = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), 'x');
      expect(takes(config), path).toBe(false);
    }
  });
});

describe('the schema of units', () => {
  it('takes exchange and symbol, no pattern and no other exchange', () => {
    const takes = ajv.compile(unitSchema());
    expect(takes('bybit-spot:BTC-USDT')).toBe(true);
    for (const wrong of ['BTC-USDT', 'bybit:BTC-USDT', 'binance:*-USDT', 'binance:', 'okx:BTCUSDT']) {
      expect(takes(wrong), wrong).toBe(false);
    }
  });
});

describe('JSON text', () => {
  it('reads back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        expect(JSON.parse(jsonText(given))).toEqual(JSON.parse(JSON.stringify(given)));
      }),
    );
  });
});

/** Formats of which a schema can say all: the others are texts with rules of their own. */
function isClosed(format: Format<unknown>): boolean {
  return /^(integer|true or false|one of|number|bytes|milliseconds)/.test(format.type);
}

function formatOf(path: string): Format<unknown> {
  return new Map(keys).get(path)!.format;
}
