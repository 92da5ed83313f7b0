import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashSlot, hashTag, keyBeside, SLOTS } from './hash-slot.ts';

describe('hashSlot', () => {
  // As a real Redis 7 answers CLUSTER KEYSLOT; 12739 is the specification's own example.
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['md:{foo}:trades', 12_182],
    ['a{foo}', 12_182],
    ['', 0],
  ])('of %s is %i', (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });

  it.each([
    ['a{b}c', 'b'],
    ['a{}c', null],
    ['a{b', null],
    ['}a{b}', 'b'],
    ['{a}{b}', 'a'],
    ['a{{b}}', '{b'],
  ])('the tag of %s is %s', (key, tag) => {
    expect(hashTag(key)).toBe(tag);
  });

  it('is the same for a key beside another', () => {
    const key = fc.oneof(fc.string({ minLength: 1 }), fc.stringMatching(/^\w*\{\w+\}\w*$/));
    fc.assert(
      fc.property(key, (text) => {
        fc.pre(hashTag(text) !== null || !/[{}]/.test(text));
        expect(hashSlot(keyBeside(text, ':writer'))).toBe(hashSlot(text));
        expect(hashSlot(text)).toBeLessThan(SLOTS);
      }),
    );
  });

  it('refuses what can have no key beside it', () => {
    expect(() => keyBeside('a{}b', ':writer')).toThrow('no hash tag can be made of the key a{}b');
  });
});
