import type { FeedLimits, Topic } from '../exchanges/exchange.ts';

/**
 * Groups topics into requests: one `requestGroup`, at most `topicsPerRequest` topics and
 * `requestBytes` bytes each. Topics keep their order within a group and none is lost: one that
 * alone exceeds the bytes still gets a request, for the exchange to judge.
 */
export function requestBatches<Item extends { readonly topic: Topic }>(
  items: readonly Item[],
  limits: Pick<FeedLimits, 'topicsPerRequest' | 'requestBytes'>,
  bytesOf: (topics: readonly Topic[]) => number,
): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(item.topic.requestGroup);
    if (group === undefined) groups.set(item.topic.requestGroup, [item]);
    else group.push(item);
  }
  const batches: Item[][] = [];
  for (const group of groups.values()) {
    for (let at = 0; at < group.length; ) {
      const length = batchLength(group, at, limits, bytesOf);
      batches.push(group.slice(at, at + length));
      at += length;
    }
  }
  return batches;
}

/** How many topics from `start` fit one request. */
function batchLength<Item extends { readonly topic: Topic }>(
  group: readonly Item[],
  start: number,
  limits: Pick<FeedLimits, 'topicsPerRequest' | 'requestBytes'>,
  bytesOf: (topics: readonly Topic[]) => number,
): number {
  const most = Math.min(group.length - start, Math.max(1, limits.topicsPerRequest));
  const topics = group.slice(start, start + most).map((item) => item.topic);
  if (bytesOf(topics) <= limits.requestBytes) return most;
  // Bytes grow with the number of topics, so the longest that fits is found by halving.
  let fits = 1;
  let exceeds = most;
  while (exceeds - fits > 1) {
    const middle = (fits + exceeds) >> 1;
    if (bytesOf(topics.slice(0, middle)) <= limits.requestBytes) fits = middle;
    else exceeds = middle;
  }
  return fits;
}
