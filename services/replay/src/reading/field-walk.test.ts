import { avroType, parseAvroSchema, RECORD_TOPICS, schemaText } from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotes, trades } from '../../../../schemas/src/testing/tick-records.ts';
import { behindLong, FieldWalk, readLong, SchemaError } from './field-walk.ts';

/** A record of every kind of Avro type, itself among them. */
const EVERYTHING = {
  type: 'record',
  name: 'Everything',
  namespace: 'test',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'single', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'text', type: 'string' },
    { name: 'maybe', type: ['null', 'string'] },
    { name: 'reversed', type: ['long', 'null'] },
    { name: 'many', type: ['null', 'string', 'long', { type: 'array', items: 'int' }] },
    { name: 'side', type: { type: 'enum', name: 'Side', symbols: ['buy', 'sell'] } },
    { name: 'otherSide', type: ['null', 'Side'] },
    { name: 'mac', type: { type: 'fixed', name: 'Mac', size: 6 } },
    { name: 'list', type: { type: 'array', items: { type: 'map', values: 'string' } } },
    {
      name: 'tree',
      type: [
        'null',
        {
          type: 'record',
          name: 'Node',
          fields: [
            { name: 'value', type: 'long' },
            { name: 'next', type: ['null', 'Node'] },
          ],
        },
      ],
    },
  ],
};
const everything = parseAvroSchema(JSON.stringify(EVERYTHING));

const anything = fc.record({
  flag: fc.boolean(),
  small: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  large: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  single: fc.constant(1.5),
  double: fc.double({ noNaN: true }),
  text: fc.string({ unit: 'grapheme', maxLength: 300 }),
  maybe: fc.option(fc.string()),
  reversed: fc.option(fc.integer()),
  many: fc.oneof(fc.constant(null), fc.string(), fc.integer(), fc.array(fc.integer())),
  side: fc.constantFrom('buy', 'sell'),
  otherSide: fc.option(fc.constantFrom('buy', 'sell')),
  mac: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  list: fc.array(fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }), { maxLength: 4 }),
  tree: fc.letrec((tie) => ({
    node: fc.option(fc.record({ value: fc.integer(), next: tie('node') }), { maxDepth: 4 }),
  })).node,
});

/** Where avsc writes each field, by encoding ever more of them. */
function fieldStarts(schema: typeof EVERYTHING, value: Record<string, unknown>): number[] {
  const starts = [0];
  for (let count = 1; count <= schema.fields.length; count++) {
    const fields = schema.fields.slice(0, count);
    const part = parseAvroSchema(JSON.stringify({ ...schema, fields }));
    const picked = Object.fromEntries(fields.map(({ name }) => [name, value[name]]));
    starts.push(part.toBuffer(picked).length);
  }
  return starts;
}

describe('FieldWalk', () => {
  it('finds the fields of every kind of type where avsc writes them', () => {
    const walk = new FieldWalk(EVERYTHING);
    fc.assert(
      fc.property(anything, fc.integer({ min: 0, max: 9 }), (value, before) => {
        const body = everything.toBuffer(value);
        const bytes = Buffer.concat([Buffer.alloc(before, 0xff), body, Buffer.alloc(3, 0x02)]);
        const at = new Int32Array(walk.fieldCount + 1);
        expect(walk.walk(bytes, before, before + body.length, at)).toBe(true);
        expect([...at].map((start) => start - before)).toEqual(fieldStarts(EVERYTHING, value));
      }),
      { numRuns: 50 },
    );
  });

  it('takes each tick to its exact end and not a byte beside it', () => {
    for (const [topic, records] of [
      ['trades', trades],
      ['quotes', quotes],
    ] as const) {
      const walk = new FieldWalk(JSON.parse(schemaText(topic)));
      const at = new Int32Array(walk.fieldCount + 1);
      fc.assert(
        fc.property(records as fc.Arbitrary<unknown>, fc.integer({ min: 1, max: 5 }), (record, beside) => {
          const body = avroType(topic).toBuffer(record);
          const longer = Buffer.concat([body, Buffer.alloc(beside)]);
          expect(walk.walk(longer, 0, body.length, at)).toBe(true);
          expect(walk.walk(longer, 0, longer.length, at)).toBe(false);
          expect(walk.walk(body, 0, body.length - 1, at)).toBe(false);
        }),
      );
    }
  });

  it('never leaves the value, whatever the bytes are', () => {
    const walk = new FieldWalk(EVERYTHING);
    const at = new Int32Array(walk.fieldCount + 1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (!walk.walk(bytes, 0, bytes.length, at)) return;
        expect(at[walk.fieldCount]).toBe(bytes.length);
        for (let field = 0; field < walk.fieldCount; field++)
          expect(at[field]!).toBeLessThanOrEqual(at[field + 1]!);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a union branch, an enum symbol and a negative length that the schema does not have', () => {
    const one = (type: unknown) =>
      new FieldWalk({ type: 'record', name: 'One', fields: [{ name: 'a', type }] });
    const at = new Int32Array(2);
    expect(one(['null', 'string']).walk(Uint8Array.of(4, 0), 0, 2, at)).toBe(false);
    expect(one(['string', 'long']).walk(Uint8Array.of(4, 0), 0, 2, at)).toBe(false);
    expect(one({ type: 'enum', name: 'E', symbols: ['x'] }).walk(Uint8Array.of(2), 0, 1, at)).toBe(false);
    expect(one('string').walk(Uint8Array.of(1), 0, 1, at)).toBe(false);
    expect(one('boolean').walk(Uint8Array.of(2), 0, 1, at)).toBe(false);
    expect(one('long').walk(new Uint8Array(11).fill(0x80), 0, 11, at)).toBe(false);
  });

  it('ends on a list that says it has more items of no bytes than the value has bytes', () => {
    const walk = new FieldWalk({
      type: 'record',
      name: 'Nulls',
      fields: [{ name: 'a', type: { type: 'array', items: 'null' } }],
    });
    const count = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00);
    expect(walk.walk(count, 0, count.length, new Int32Array(2))).toBe(false);
  });

  it('refuses what is no record', () => {
    expect(() => new FieldWalk('string')).toThrow(SchemaError);
    expect(
      () => new FieldWalk({ type: 'record', name: 'A', fields: [{ name: 'a', type: 'nonsense' }] }),
    ).toThrow(SchemaError);
  });

  it('walks the schemas of all topics', () => {
    for (const topic of RECORD_TOPICS) {
      const text = schemaText(topic);
      expect(new FieldWalk(JSON.parse(text)).fieldCount).toBe(
        (JSON.parse(text) as { fields: [] }).fields.length,
      );
    }
  });
});

describe('readLong', () => {
  it('reads what avsc wrote, to 2^53', () => {
    const long = parseAvroSchema('"long"');
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (value) => {
        const bytes = long.toBuffer(value);
        expect(readLong(bytes, 0)).toBe(value);
        expect(behindLong(bytes, 0)).toBe(bytes.length);
      }),
    );
    for (const value of [
      0,
      -1,
      63,
      64,
      -65,
      8191,
      2 ** 27,
      -(2 ** 27),
      2 ** 28 - 1,
      2 ** 31,
      1_781_337_600_455_123,
    ]) {
      expect(readLong(long.toBuffer(value), 0)).toBe(value);
    }
  });
});
