import type { Refusal } from './connection-refusal.ts';
import type { ProduceBody } from './produce-request.ts';
import type { ProducerIdentity } from './record-batch.ts';

/** A partition without a leader for the moment. */
export const NO_LEADER = -1;

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id, or `NO_LEADER`. */
  readonly leader: number;
}

export interface TopicMetadata {
  /** 0, or why the partitions are not known. */
  readonly errorCode: number;
  /** In the order of their numbers, from 0. */
  readonly partitions: readonly PartitionMetadata[];
  /** False when the broker says that our user may not write; true too when it does not say. */
  readonly isWritable: boolean;
}

export interface ClusterMetadata {
  /** Node id → host:port. */
  readonly brokers: ReadonlyMap<number, string>;
  readonly topics: ReadonlyMap<string, TopicMetadata>;
}

/** What the sink needs of a Kafka client. Every method may be called again after it failed. */
export interface KafkaBridge {
  /** Asks any broker that answers. Never creates a topic. Rejects with a BridgeError. */
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  /** A new producer id from any broker. Rejects with a BridgeError. */
  initProducerId(): Promise<ProducerIdentity>;
  /**
   * Sends a Produce request, connecting first if need be, and resolves with the answer's body. Rejects with a
   * BridgeError when no answer came; the connection is then closed and nothing refers to the request's bytes
   * any more.
   */
  produce(nodeId: number, body: ProduceBody): Promise<Buffer>;
  close(): Promise<void>;
}

/** No answer came. */
export class BridgeError extends Error {
  override name = 'BridgeError';
  /** False when the request cannot have reached the broker. */
  readonly sent: boolean;
  /** What is to be changed when retrying cannot help: the message names it; null when retrying may. */
  readonly setting: Refusal['setting'] | null;

  constructor(
    message: string,
    options: { sent: boolean; setting?: Refusal['setting'] | null; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.sent = options.sent;
    this.setting = options.setting ?? null;
  }
}
