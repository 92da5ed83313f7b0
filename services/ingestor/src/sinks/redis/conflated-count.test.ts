import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONFLATED_GROWTH, copyWithCount, digitsOf } from './conflated-count.ts';

const count = fc.oneof(fc.nat(), fc.constantFrom(0, 9, 10, 63, 64, 8191, 8192, 2 ** 31, 2 ** 40));
const around = fc.uint8Array({ maxLength: 40 });

describe('copyWithCount', () => {
  it('writes the digits of JSON in place of the zero', () => {
    fc.assert(
      fc.property(count, fc.string(), (conflated, text) => {
        const head = `{"a":${JSON.stringify(text)},"conflated":`;
        const source = Buffer.from(`${head}0,"b":1}`);
        const target = Buffer.alloc(source.length + CONFLATED_GROWTH + 5);
        const at = Buffer.byteLength(head);
        const end = copyWithCount(target, 5, source, source.length, at, conflated, 'json');
        expect(JSON.parse(target.toString('utf8', 5, end))).toEqual({ a: text, conflated, b: 1 });
        expect(digitsOf(conflated)).toBe(String(conflated).length);
      }),
    );
  });

  it('writes the long of Avro in place of the zero', () => {
    const long = avsc.Type.forSchema('long');
    fc.assert(
      fc.property(count, around, around, (conflated, before, after) => {
        const source = Buffer.concat([before, Buffer.from([0]), after]);
        const target = Buffer.alloc(source.length + CONFLATED_GROWTH);
        const end = copyWithCount(target, 0, source, source.length, before.length, conflated, 'avro');
        expect(target.subarray(0, end)).toEqual(Buffer.concat([before, long.toBuffer(conflated), after]));
      }),
    );
  });
});
