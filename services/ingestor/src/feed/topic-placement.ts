import type { FeedLimits, Topic } from '../exchanges/exchange.ts';

/**
 * Splits topics over connections: each is filled up to `topicsPerConnection` topics and
 * `topicCharactersPerConnection` characters of names before the next is opened. Order is kept.
 */
export function placeTopics<Item extends { readonly topic: Topic }>(
  items: readonly Item[],
  limits: Pick<FeedLimits, 'topicsPerConnection' | 'topicCharactersPerConnection'>,
): Item[][] {
  const connections: Item[][] = [];
  let current: Item[] = [];
  let characters = 0;
  for (const item of items) {
    const full =
      current.length >= limits.topicsPerConnection ||
      characters + item.topic.characters > limits.topicCharactersPerConnection;
    if (current.length === 0 || full) {
      current = [];
      characters = 0;
      connections.push(current);
    }
    current.push(item);
    characters += item.topic.characters;
  }
  return connections;
}
