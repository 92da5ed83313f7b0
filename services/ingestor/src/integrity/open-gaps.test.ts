import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenGaps } from './open-gaps.ts';

it('leaves exactly the ids that never came', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 }))
    .map(([first, more]) => [first, first + more] as const);
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 12 }), ([firstId, lastId], arrivals) => {
      const gaps = new OpenGaps();
      gaps.add({ firstId, lastId, firstTime: 1, lastTime: 2 });
      const missing = new Set<number>();
      for (let id = firstId; id <= lastId; id++) missing.add(id);
      for (const [first, last] of arrivals) {
        gaps.fill(first, last);
        for (let id = first; id <= last; id++) missing.delete(id);
      }
      const left = gaps.rest.flatMap((gap) =>
        Array.from({ length: gap.lastId - gap.firstId + 1 }, (_, at) => gap.firstId + at),
      );
      expect(left.sort((a, b) => a - b)).toEqual([...missing]);
    }),
  );
});
