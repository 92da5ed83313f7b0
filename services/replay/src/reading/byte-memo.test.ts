import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteMemo } from './byte-memo.ts';

describe('ByteMemo', () => {
  it('gives for each text what was made of it, whatever lies around its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 5 }), { maxLength: 300 }), (texts) => {
        const memo = new ByteMemo((text) => text);
        for (const text of texts) {
          const bytes = Buffer.from(`x${text}y`);
          expect(memo.of(bytes, 1, bytes.length - 1)).toBe(text);
        }
      }),
    );
  });

  it('makes each once, keeps no reference to the bytes, and begins anew when it is full', () => {
    const made: string[] = [];
    const memo = new ByteMemo((text) => made.push(text), 3);
    const bytes = Buffer.from('abcd');
    for (const start of [0, 1, 2, 0, 1, 2]) memo.of(bytes, start, start + 1);
    expect(made).toEqual(['a', 'b', 'c']);
    bytes.write('zzz');
    memo.of(Buffer.from('a'), 0, 1);
    expect(made).toHaveLength(3);
    memo.of(bytes, 3, 4);
    memo.of(Buffer.from('a'), 0, 1);
    expect(made).toEqual(['a', 'b', 'c', 'd', 'a']);
  });
});
