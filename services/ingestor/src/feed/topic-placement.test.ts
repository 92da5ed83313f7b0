import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testInstrument } from './scripted-exchange.ts';
import { placeTopics } from './topic-placement.ts';

function item(name: string) {
  const instrument = testInstrument(0);
  return {
    topic: { name, channel: 'trades' as const, instrument, requestGroup: '', characters: name.length },
  };
}

describe('placeTopics', () => {
  it('keeps both limits, the order, and every topic', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 100 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 20, max: 100 }),
        (names, topicsPerConnection, topicCharactersPerConnection) => {
          const groups = placeTopics(names.map(item), { topicsPerConnection, topicCharactersPerConnection });
          expect(groups.flat().map(({ topic }) => topic.name)).toEqual(names);
          for (const group of groups) {
            expect(group.length).toBeLessThanOrEqual(topicsPerConnection);
            const characters = group.reduce((sum, { topic }) => sum + topic.characters, 0);
            expect(characters).toBeLessThanOrEqual(topicCharactersPerConnection);
          }
        },
      ),
    );
  });

  it('fills a connection before it opens the next', () => {
    const limits = { topicsPerConnection: 3, topicCharactersPerConnection: 8 };
    const groups = placeTopics(['aa', 'bb', 'cc', 'dddd', 'eeee', 'f'].map(item), limits);
    expect(groups.map((group) => group.length)).toEqual([3, 2, 1]);
  });
});
