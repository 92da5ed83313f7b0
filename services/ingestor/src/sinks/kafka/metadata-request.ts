import { type ClusterMetadata, NO_LEADER, type PartitionMetadata, type TopicMetadata } from './bridge.ts';

/** Metadata's number among Kafka's requests. */
export const METADATA_KEY = 3;
/** The highest version that we speak; from here on the broker says what we may do with each topic (KIP-430, Kafka 2.3). */
export const METADATA_WITH_RIGHTS = 8;
/** The lowest that we speak, for brokers that have no higher one of ours. */
export const METADATA_LOWEST = 6;

/** The bit of operation WRITE in `topic_authorized_operations`: AclOperation's code. */
const WRITE_BIT = 1 << 4;
/** In the place of `topic_authorized_operations`: the broker does not tell. */
const UNTOLD = -0x8000_0000;

/** The body of a Metadata request, version 6 or 8; never creates a topic. */
export function encodeMetadata(topics: readonly string[], version: number): Buffer {
  const names = topics.flatMap((topic) => {
    const name = Buffer.from(topic);
    const length = Buffer.alloc(2);
    length.writeInt16BE(name.length);
    return [length, name];
  });
  const count = Buffer.alloc(4);
  count.writeInt32BE(topics.length);
  // allow_auto_topic_creation; from version 8 on include_cluster_ and include_topic_authorized_operations.
  const flags = version >= METADATA_WITH_RIGHTS ? [0, 0, 1] : [0];
  return Buffer.concat([count, ...names, Buffer.from(flags)]);
}

/** Reads the body of a Metadata response, version 6 to 8. Throws a RangeError when it is cut short. */
export function decodeMetadata(body: Buffer, version: number): ClusterMetadata {
  const cursor = new Cursor(body);
  cursor.skip(4); // throttle_time_ms
  const brokers = new Map<number, string>();
  cursor.each(() => {
    const nodeId = cursor.int32();
    const host = cursor.text() ?? '';
    brokers.set(nodeId, `${host}:${cursor.int32()}`);
    cursor.text(); // rack
  });
  cursor.text(); // cluster_id
  cursor.skip(4); // controller_id
  const topics = new Map<string, TopicMetadata>();
  cursor.each(() => {
    const errorCode = cursor.int16();
    const name = cursor.text() ?? '';
    cursor.skip(1); // is_internal
    const partitions: PartitionMetadata[] = [];
    cursor.each(() => {
      cursor.skip(2); // error_code: without a leader it says nothing new
      const partition = cursor.int32();
      const leader = cursor.int32();
      if (version >= 7) cursor.skip(4); // leader_epoch
      for (let list = 0; list < 3; list++) cursor.each(() => cursor.skip(4)); // replicas, in sync, offline
      partitions.push({ partition, leader: leader < 0 ? NO_LEADER : leader });
    });
    partitions.sort((a, b) => a.partition - b.partition);
    const rights = version >= METADATA_WITH_RIGHTS ? cursor.int32() : UNTOLD;
    const isWritable = rights === UNTOLD || (rights & WRITE_BIT) !== 0;
    topics.set(name, { errorCode, partitions, isWritable });
  });
  return { brokers, topics };
}

/** Reads Kafka's plain types one after another. */
class Cursor {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  /** A nullable string. */
  text(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  /** An array: `read` is called for each element. */
  each(read: () => void): void {
    const count = this.int32();
    // An element has a byte at least.
    if (count > this.bytes.length - this.at)
      throw new RangeError(`an array of ${count} elements is cut short`);
    for (let index = 0; index < count; index++) read();
  }
}
