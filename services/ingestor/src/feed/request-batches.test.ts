import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Topic } from '../exchanges/exchange.ts';
import { requestBatches } from './request-batches.ts';
import { testInstrument } from './scripted-exchange.ts';

function topicOf(name: string, requestGroup: string): { topic: Topic } {
  const topic: Topic = {
    name,
    channel: 'trades',
    instrument: testInstrument(0),
    requestGroup,
    characters: name.length,
  };
  return { topic };
}

const bytesOf = (topics: readonly Topic[]) =>
  Buffer.byteLength(JSON.stringify({ topics: topics.map(({ name }) => name) }));

describe('requestBatches', () => {
  it('loses no topic, repeats none, and keeps every limit', () => {
    const items = fc.uniqueArray(
      fc.tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.constantFrom('a', 'b', 'c')),
      {
        selector: ([name]) => name,
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(
        items,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 20, max: 400 }),
        (given, most, requestBytes) => {
          const topics = given.map(([name, group]) => topicOf(name, group));
          const batches = requestBatches(topics, { topicsPerRequest: most, requestBytes }, bytesOf);
          const names = batches.flat().map(({ topic }) => topic.name);
          expect(names.toSorted()).toEqual(topics.map(({ topic }) => topic.name).toSorted());
          for (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(most);
            expect(new Set(batch.map(({ topic }) => topic.requestGroup)).size).toBe(1);
            const bytes = bytesOf(batch.map(({ topic }) => topic));
            expect(batch.length === 1 || bytes <= requestBytes).toBe(true);
          }
        },
      ),
    );
  });

  it('fills each request before it begins the next', () => {
    const topics = ['a', 'b', 'c', 'd', 'e'].map((name) => topicOf(name, ''));
    const batches = requestBatches(topics, { topicsPerRequest: 2, requestBytes: Infinity }, bytesOf);
    expect(batches.map((batch) => batch.map(({ topic }) => topic.name).join(''))).toEqual(['ab', 'cd', 'e']);
    const byBytes = requestBatches(topics, { topicsPerRequest: Infinity, requestBytes: 24 }, bytesOf);
    expect(byBytes.map((batch) => batch.length)).toEqual([3, 2]);
  });
});
