import { TICK_CHANNELS, type TickChannel } from './names.ts';

/** Topics of this release, without the prefix. */
export const TOPICS = [...TICK_CHANNELS, 'status', 'invalid'] as const;
export type Topic = (typeof TOPICS)[number];

/** The prefix of every topic name unless the configuration says otherwise. */
export const DEFAULT_TOPIC_PREFIX = 'md.';

export function topicName(prefix: string, topic: Topic): string {
  return `${prefix}${topic}`;
}

/** Registry subject of a topic's values: TopicNameStrategy. */
export function valueSubject(topic: string): string {
  return `${topic}-value`;
}

/** Key of a tick: its canonical symbol, so that all exchanges of one symbol share a partition. */
export function tickKey(symbol: string): string {
  return symbol;
}

/** Key of a record on `status`: one current state per exchange, symbol and channel. */
export function statusKey(exchange: string, symbol: string, channel: TickChannel): string {
  return `${exchange}:${symbol}:${channel}`;
}

/** Key of a record on `invalid`. */
export function invalidKey(exchange: string): string {
  return exchange;
}
