import { describe, expect, it } from 'vitest';
import { connectionsFor } from './plan-layout.ts';

const topics = (count: number, characters: number) => Array.from({ length: count }, () => ({ characters }));
const none = Number.POSITIVE_INFINITY;

describe('connectionsFor', () => {
  it.each([
    ['no topic', topics(0, 20), 10, none, 0],
    ['as many as fit', topics(10, 20), 10, none, 1],
    ['one more', topics(11, 20), 10, none, 2],
    ['characters bind before the count', topics(10, 20), 10, 100, 2],
    ['5,000 symbols, two channels, quoted 10 a connection', topics(10_000, 20), 10, none, 1000],
    ['no limit at all', topics(10_000, 20), none, none, 1],
  ])('%s', (_, list, topicsPerConnection, topicCharactersPerConnection, connections) => {
    expect(connectionsFor(list, { topicsPerConnection, topicCharactersPerConnection })).toBe(connections);
  });
});
