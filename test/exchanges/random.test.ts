import { describe, expect, it } from 'vitest';
import { Random, uuidOf } from './random.ts';

describe('Random', () => {
  it('repeats itself for the same seed and differs for another', () => {
    const draw = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 20 }, () => random.uint32());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('stays below its limit and reaches every value', () => {
    const random = new Random(7);
    const seen = new Set(Array.from({ length: 1000 }, () => random.below(10)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('uuidOf', () => {
  it('has the form of a UUID and never repeats', () => {
    const texts = Array.from({ length: 5000 }, (_, counter) => uuidOf(3, counter));
    expect(new Set(texts).size).toBe(5000);
    for (const text of texts) {
      expect(text).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(uuidOf(3, 17)).toBe(texts[17]);
    expect(uuidOf(4, 17)).not.toBe(texts[17]);
  });
});
