/** Thrown for an answer that is not one. */
export class ProduceAnswerError extends Error {
  override name = 'ProduceAnswerError';
}

/** A sealed batch on its way to one partition. */
export interface ProducePart {
  readonly topic: string;
  readonly partition: number;
  /** The batch as it is sent; not copied. */
  readonly batch: Uint8Array;
}

/** A request's body, in pieces that are written one after the other. */
export interface ProduceBody {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

/** acks=all: the only one that loses nothing. */
const ACKS_ALL = -1;
/** A nullable string that is null. */
const NULL_STRING = -1;

/**
 * The body of a Produce request, version 7 (https://kafka.apache.org/protocol.html#The_Messages_Produce):
 * `transactional_id acks timeout [topic [partition records]]`. Parts of one topic stand together; at most one
 * part for each partition.
 *
 * @param timeoutMs how long the broker may wait for the followers
 */
export function encodeProduce(parts: readonly ProducePart[], timeoutMs: number): ProduceBody {
  const topics = new Map<string, ProducePart[]>();
  for (const part of parts) {
    const ofTopic = topics.get(part.topic);
    if (ofTopic === undefined) topics.set(part.topic, [part]);
    else ofTopic.push(part);
  }
  const names = new Map([...topics.keys()].map((topic) => [topic, Buffer.from(topic)] as const));
  let framing = 2 + 2 + 4 + 4 + parts.length * 8;
  for (const name of names.values()) framing += 2 + name.length + 4;

  const frame = Buffer.allocUnsafe(framing);
  const chunks: Uint8Array[] = [];
  let byteLength = framing;
  let cut = 0;
  let at = frame.writeInt16BE(NULL_STRING, 0);
  at = frame.writeInt16BE(ACKS_ALL, at);
  at = frame.writeInt32BE(timeoutMs, at);
  at = frame.writeInt32BE(topics.size, at);
  for (const [topic, ofTopic] of topics) {
    const name = names.get(topic)!;
    at = frame.writeInt16BE(name.length, at);
    at += name.copy(frame, at);
    at = frame.writeInt32BE(ofTopic.length, at);
    for (const { partition, batch } of ofTopic) {
      at = frame.writeInt32BE(partition, at);
      at = frame.writeInt32BE(batch.length, at);
      chunks.push(frame.subarray(cut, at), batch);
      byteLength += batch.length;
      cut = at;
    }
  }
  return { chunks, byteLength };
}

/** What a broker answered for one partition. */
export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: bigint;
}

export interface ProduceAnswer {
  readonly partitions: readonly PartitionAnswer[];
  /** Milliseconds that the client is asked to wait before its next request (KIP-219). */
  readonly throttleMs: number;
}

/** Reads the body of a Produce response, version 7. Throws ProduceAnswerError when it is cut short. */
export function decodeProduceAnswer(body: Buffer): ProduceAnswer {
  const partitions: PartitionAnswer[] = [];
  let at = 0;
  try {
    const topics = body.readInt32BE(at);
    at += 4;
    for (let t = 0; t < topics; t++) {
      const nameLength = body.readInt16BE(at);
      const topic = body.toString('utf8', at + 2, at + 2 + nameLength);
      at += 2 + nameLength;
      const count = body.readInt32BE(at);
      at += 4;
      for (let p = 0; p < count; p++) {
        partitions.push({
          topic,
          partition: body.readInt32BE(at),
          errorCode: body.readInt16BE(at + 4),
          baseOffset: body.readBigInt64BE(at + 6),
        });
        at += 30; // log_append_time and log_start_offset are of no use here
      }
    }
    return { partitions, throttleMs: body.readInt32BE(at) };
  } catch (error) {
    throw new ProduceAnswerError('the Produce response is cut short', { cause: error });
  }
}
