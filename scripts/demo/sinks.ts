/** A sink that the demo can show. */
export type SinkName = 'kafka' | 'redisStreams' | 'redisPubSub' | 'grpc';

/** What the demo knows of a sink. */
export interface SinkFacts {
  /** For people. */
  readonly title: string;
  /** In a pod's status. */
  readonly statusName: string;
  /** What its count of acknowledged ticks means: "ticks …". */
  readonly acknowledged: string;
  /** Whether a lost tick is a fault: Redis Pub/Sub may drop. */
  readonly mayDrop: boolean;
}

export const SINK_FACTS: Readonly<Record<SinkName, SinkFacts>> = {
  kafka: { title: 'Kafka', statusName: 'kafka', acknowledged: 'acknowledged by Kafka', mayDrop: false },
  redisStreams: {
    title: 'Redis Streams',
    statusName: 'redis-streams',
    acknowledged: 'appended to Redis Streams',
    mayDrop: false,
  },
  redisPubSub: {
    title: 'Redis Pub/Sub',
    statusName: 'redis-pubsub',
    acknowledged: 'published to Redis',
    mayDrop: true,
  },
  grpc: { title: 'gRPC', statusName: 'grpc', acknowledged: 'written to gRPC clients', mayDrop: false },
};

/** What the option --sinks may name, and which sinks that is. */
const CHOICES: Readonly<Record<string, readonly SinkName[]>> = {
  kafka: ['kafka'],
  redis: ['redisStreams', 'redisPubSub'],
  grpc: ['grpc'],
};

/** The words that --sinks takes. */
export const SINK_CHOICES: readonly string[] = Object.keys(CHOICES);

/** Reads `kafka,redis,grpc` in any order; null when a word is none of them, or there is none. */
export function readSinks(text: string): readonly SinkName[] | null {
  const words = new Set(text.split(',').map((word) => word.trim().toLowerCase()));
  for (const word of words) if (!Object.hasOwn(CHOICES, word)) return null;
  return SINK_CHOICES.flatMap((choice) => (words.has(choice) ? (CHOICES[choice] ?? []) : []));
}

/**
 * The sink whose ticks are matched with the simulators' ledgers, shown as samples and told per exchange: the first
 * of the sinks that lose nothing. (Pub/Sub never comes without Streams.)
 */
export function leadingSink(sinks: readonly SinkName[]): SinkName {
  const leading = sinks.find((sink) => !SINK_FACTS[sink].mayDrop) ?? sinks[0];
  if (leading === undefined) throw new Error('there is no sink');
  return leading;
}

/** Whether there is more to compare than Kafka alone. */
export function hasOtherSinks(sinks: readonly SinkName[]): boolean {
  return sinks.some((sink) => sink !== 'kafka');
}
