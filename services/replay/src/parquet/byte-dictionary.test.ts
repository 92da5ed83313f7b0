import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteDictionary } from './byte-dictionary.ts';

describe('a dictionary of byte strings', () => {
  it('numbers distinct values as a map would, and holds them as a dictionary page does', () => {
    const values = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.string({ maxLength: 30 })), {
      maxLength: 2000,
      size: 'max',
    });
    fc.assert(
      fc.property(values, (texts) => {
        const dictionary = new ByteDictionary(4);
        const numbers = new Map<string, number>();
        for (const text of texts) {
          const bytes = Buffer.from(`[${text}]`);
          const number = numbers.get(text) ?? numbers.size;
          numbers.set(text, number);
          expect(dictionary.intern(bytes, 1, bytes.length - 1)).toBe(number);
        }
        expect(dictionary.size).toBe(numbers.size);
        const page = [...numbers.keys()].map((text) => {
          const bytes = Buffer.from(text);
          const length = Buffer.alloc(4);
          length.writeInt32LE(bytes.length);
          return Buffer.concat([length, bytes]);
        });
        expect(Buffer.from(dictionary.page.subarray(0, dictionary.pageBytes))).toEqual(Buffer.concat(page));
        for (const [text, number] of numbers) {
          const kept = dictionary.page.subarray(dictionary.starts[number]!, dictionary.endOf(number));
          expect(Buffer.from(kept).toString()).toBe(Buffer.from(text).toString());
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps values of a fixed width without a length', () => {
    const dictionary = new ByteDictionary(0);
    const bytes = Uint8Array.of(1, 2, 3, 4, 1, 2, 3, 5);
    expect([
      dictionary.intern(bytes, 0, 4),
      dictionary.intern(bytes, 4, 8),
      dictionary.intern(bytes, 0, 4),
    ]).toEqual([0, 1, 0]);
    expect([...dictionary.page.subarray(0, dictionary.pageBytes)]).toEqual([...bytes]);
  });
});
