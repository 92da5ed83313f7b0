/**
 * The Fetch request and its answer, version 11 (Kafka protocol guide, "Fetch API"; KIP-392): written and read as
 * bytes, so that an answer's record batches stay where the socket put them.
 */

/** One partition of a request. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** How much, and how long a broker may wait for it. */
export interface FetchLimits {
  readonly maxWaitMs: number;
  /** Of the whole answer, and of each partition in it. A batch that is larger comes all the same, if it is the first. */
  readonly maxBytes: number;
  readonly partitionBytes: number;
}

/** One partition of an answer. */
export interface FetchAnswer {
  readonly topic: string;
  readonly partition: number;
  /** Kafka protocol guide, "Error Codes"; 0: none. */
  readonly errorCode: number;
  /** Offset behind the last record that all replicas have. */
  readonly highWatermark: number;
  /** First offset that is still there. */
  readonly logStart: number;
  /** Record batches, the last one perhaps cut off. */
  readonly records: Buffer;
}

/** An answer that is not what version 11 says. */
export class FetchAnswerError extends Error {
  override name = 'FetchAnswerError';
}

/** The body of a Fetch request; partitions of one topic need not be neighbours. */
export function encodeFetch(partitions: readonly FetchedPartition[], limits: FetchLimits): Buffer {
  const byTopic = new Map<string, FetchedPartition[]>();
  for (const each of partitions) {
    const list = byTopic.get(each.topic);
    if (list === undefined) byTopic.set(each.topic, [each]);
    else list.push(each);
  }
  const names = [...byTopic.keys()].map((topic) => Buffer.from(topic));
  const length =
    4 +
    4 +
    4 +
    4 +
    1 +
    4 +
    4 +
    4 +
    names.reduce((sum, name) => sum + 2 + name.length + 4, 0) +
    28 * partitions.length +
    6;
  const body = Buffer.alloc(length);
  let at = body.writeInt32BE(-1, 0); // replica_id: a consumer
  at = body.writeInt32BE(limits.maxWaitMs, at);
  at = body.writeInt32BE(1, at); // min_bytes
  at = body.writeInt32BE(limits.maxBytes, at);
  at = body.writeInt8(0, at); // isolation_level: read_uncommitted
  at = body.writeInt32BE(0, at); // session_id
  at = body.writeInt32BE(-1, at); // session_epoch: no session (KIP-227)
  at = body.writeInt32BE(byTopic.size, at);
  for (const [index, list] of [...byTopic.values()].entries()) {
    const name = names[index]!;
    at = body.writeInt16BE(name.length, at);
    at += name.copy(body, at);
    at = body.writeInt32BE(list.length, at);
    for (const { partition, offset } of list) {
      at = body.writeInt32BE(partition, at);
      at = body.writeInt32BE(-1, at); // current_leader_epoch: not checked
      at = body.writeBigInt64BE(BigInt(offset), at);
      at = body.writeBigInt64BE(-1n, at); // log_start_offset: a follower's
      at = body.writeInt32BE(limits.partitionBytes, at);
    }
  }
  body.writeInt32BE(0, at); // forgotten_topics_data; the empty rack_id behind it is two zeros
  return body;
}

/** Reads an answer's body. `records` are ranges of it, not copies. */
export function decodeFetch(body: Buffer): FetchAnswer[] {
  const reader = new AnswerReader(body);
  reader.int32(); // throttle_time_ms: kafkajs' queue obeys it
  const errorCode = reader.int16();
  if (errorCode !== 0) throw new FetchAnswerError(`the broker answers a Fetch with error ${errorCode}`);
  reader.int32(); // session_id
  const answers: FetchAnswer[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.text();
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const highWatermark = reader.int64();
      reader.int64(); // last_stable_offset
      const logStart = reader.int64();
      for (let aborted = reader.int32(); aborted > 0; aborted--) reader.skip(16);
      reader.int32(); // preferred_read_replica: none without a rack
      answers.push({ topic, partition, errorCode, highWatermark, logStart, records: reader.bytes() });
    }
  }
  return answers;
}

class AnswerReader {
  private readonly body: Buffer;
  private at = 0;

  constructor(body: Buffer) {
    this.body = body;
  }

  int16(): number {
    return this.body.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.body.readInt32BE(this.skip(4));
  }

  int64(): number {
    const value = Number(this.body.readBigInt64BE(this.skip(8)));
    if (!Number.isSafeInteger(value)) throw new FetchAnswerError(`the offset ${value} is above 2^53`);
    return value;
  }

  text(): string {
    const length = this.int16();
    const start = this.skip(length);
    return this.body.toString('utf8', start, this.at);
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    const start = this.skip(length);
    return this.body.subarray(start, this.at);
  }

  /** Moves on, and returns where it was. */
  skip(length: number): number {
    const start = this.at;
    this.at += length;
    if (length < 0 || this.at > this.body.length)
      throw new FetchAnswerError('the answer to a Fetch is cut off');
    return start;
  }
}
