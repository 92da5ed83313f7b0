/** What an answer for a partition means to its batch. */
export type Verdict =
  /** It is in the log. */
  | 'written'
  /** Send the same bytes again; where metadata may be stale, refresh them first. */
  | 'again'
  /** The broker does not know our sequence numbers: a new producer id is needed (KIP-98, KIP-360). */
  | 'new-identity'
  /** Something about the records themselves: find out which, by halves. */
  | 'split'
  /** Waiting does not help, somebody has to change something: set the partition aside and retry slowly. */
  | 'set-aside';

interface ErrorEntry {
  readonly name: string;
  readonly verdict: Verdict;
  /** The broker answers this before it appends, or instead: the batch was not written by this attempt. */
  readonly certain?: true;
}

/**
 * Error codes that can answer a Produce request, from https://kafka.apache.org/protocol.html#protocol_error_codes.
 * `certain` by the broker's source: what `UnifiedLog.append` checks before it writes.
 */
const ERRORS: Readonly<Record<number, ErrorEntry>> = {
  [-1]: { name: 'UNKNOWN_SERVER_ERROR', verdict: 'again' },
  0: { name: 'NONE', verdict: 'written' },
  2: { name: 'CORRUPT_MESSAGE', verdict: 'again', certain: true },
  3: { name: 'UNKNOWN_TOPIC_OR_PARTITION', verdict: 'again' },
  5: { name: 'LEADER_NOT_AVAILABLE', verdict: 'again' },
  // Also answered after the append, when the leader steps down before the followers have it.
  6: { name: 'NOT_LEADER_OR_FOLLOWER', verdict: 'again' },
  7: { name: 'REQUEST_TIMED_OUT', verdict: 'again' },
  8: { name: 'BROKER_NOT_AVAILABLE', verdict: 'again' },
  9: { name: 'REPLICA_NOT_AVAILABLE', verdict: 'again' },
  10: { name: 'MESSAGE_TOO_LARGE', verdict: 'split', certain: true },
  13: { name: 'NETWORK_EXCEPTION', verdict: 'again' },
  17: { name: 'INVALID_TOPIC_EXCEPTION', verdict: 'set-aside', certain: true },
  18: { name: 'RECORD_LIST_TOO_LARGE', verdict: 'split', certain: true },
  19: { name: 'NOT_ENOUGH_REPLICAS', verdict: 'again', certain: true },
  20: { name: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', verdict: 'again' },
  21: { name: 'INVALID_REQUIRED_ACKS', verdict: 'set-aside', certain: true },
  29: { name: 'TOPIC_AUTHORIZATION_FAILED', verdict: 'set-aside', certain: true },
  31: { name: 'CLUSTER_AUTHORIZATION_FAILED', verdict: 'set-aside', certain: true },
  32: { name: 'INVALID_TIMESTAMP', verdict: 'split', certain: true },
  35: { name: 'UNSUPPORTED_VERSION', verdict: 'set-aside', certain: true },
  42: { name: 'INVALID_REQUEST', verdict: 'set-aside', certain: true },
  43: { name: 'UNSUPPORTED_FOR_MESSAGE_FORMAT', verdict: 'set-aside', certain: true },
  44: { name: 'POLICY_VIOLATION', verdict: 'set-aside', certain: true },
  45: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER', verdict: 'new-identity', certain: true },
  46: { name: 'DUPLICATE_SEQUENCE_NUMBER', verdict: 'written' },
  47: { name: 'INVALID_PRODUCER_EPOCH', verdict: 'new-identity', certain: true },
  49: { name: 'INVALID_PRODUCER_ID_MAPPING', verdict: 'new-identity', certain: true },
  56: { name: 'KAFKA_STORAGE_ERROR', verdict: 'again' },
  59: { name: 'UNKNOWN_PRODUCER_ID', verdict: 'new-identity', certain: true },
  74: { name: 'FENCED_LEADER_EPOCH', verdict: 'again', certain: true },
  75: { name: 'UNKNOWN_LEADER_EPOCH', verdict: 'again', certain: true },
  76: { name: 'UNSUPPORTED_COMPRESSION_TYPE', verdict: 'set-aside', certain: true },
  87: { name: 'INVALID_RECORD', verdict: 'split', certain: true },
  89: { name: 'THROTTLING_QUOTA_EXCEEDED', verdict: 'again' },
  90: { name: 'PRODUCER_FENCED', verdict: 'new-identity', certain: true },
  100: { name: 'UNKNOWN_TOPIC_ID', verdict: 'again' },
};

export const UNKNOWN_SERVER_ERROR = -1;
export const NO_ERROR = 0;
export const CORRUPT_MESSAGE = 2;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const LEADER_NOT_AVAILABLE = 5;
export const TOPIC_AUTHORIZATION_FAILED = 29;
export const MESSAGE_TOO_LARGE = 10;
export const RECORD_LIST_TOO_LARGE = 18;

/** `NOT_LEADER_OR_FOLLOWER`, as Kafka's documentation names it. */
export function errorName(code: number): string {
  return ERRORS[code]?.name ?? `ERROR_${code}`;
}

export function verdictOf(code: number): Verdict {
  return ERRORS[code]?.verdict ?? 'set-aside';
}

/** False when this answer leaves open whether the batch is in the log. */
export function isCertain(code: number): boolean {
  return ERRORS[code]?.certain === true;
}
