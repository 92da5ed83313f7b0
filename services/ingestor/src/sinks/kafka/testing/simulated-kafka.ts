import type { VirtualClock } from '../../testing/virtual-clock.ts';
import { BridgeError, type ClusterMetadata, type KafkaBridge } from '../bridge.ts';
import type { ProduceBody } from '../produce-request.ts';
import type { ProducerIdentity } from '../record-batch.ts';
import { type ReadRecord, readBatch } from './read-batch.ts';

/** What a broker shall do with one partition's batch. */
export type Fate =
  /** As a broker that works. */
  | { readonly kind: 'serve' }
  /** Not appended, this answer. */
  | { readonly kind: 'refuse'; readonly code: number }
  /** Appended, and yet this answer. */
  | { readonly kind: 'append-and-refuse'; readonly code: number };

/** What shall become of a whole request. */
export type Carriage =
  | { readonly kind: 'answer'; readonly delayMs: number }
  /** The connection breaks before the broker has read the request, or afterwards. */
  | { readonly kind: 'break'; readonly appended: boolean; readonly delayMs: number }
  | { readonly kind: 'not-connected' };

interface WrittenBatch {
  readonly first: number;
  readonly last: number;
}

interface PartitionLog {
  readonly records: ReadRecord[];
  /** Producer id → its last five batches, as a broker keeps them. */
  readonly producers: Map<bigint, WrittenBatch[]>;
}

/** One part of a request as the simulated broker sees it. */
export interface SeenPart {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/**
 * A cluster behind the sink's bridge: keeps logs, knows sequence numbers as real brokers do (KIP-98: repeats
 * among the last five batches are acknowledged without being written, other gaps answer 45), and does to
 * requests what a test asks for.
 */
export class SimulatedKafka implements KafkaBridge {
  readonly logs = new Map<string, PartitionLog>();
  partitions: number;
  readonly topics = new Set(['md.trades', 'md.quotes', 'md.status', 'md.invalid']);
  brokers: readonly number[] = [1];
  leaderOf: (topic: string, partition: number) => number = () => 1;
  fate: (part: SeenPart, count: number) => Fate = () => ({ kind: 'serve' });
  carriage: (nodeId: number) => Carriage = () => ({ kind: 'answer', delayMs: 1 });
  topicError: (topic: string) => number = () => 0;
  reachable: () => boolean = () => true;
  maxBatchRecords = Number.POSITIVE_INFINITY;
  maxBatchBytes = Number.POSITIVE_INFINITY;
  /** Requests under way by broker: never more than one. */
  readonly underWay = new Map<number, number>();
  mostUnderWay = 0;
  /** What the broker says of our right to write, when it is asked for metadata. */
  isWritable: (topic: string) => boolean = () => true;
  requests = 0;
  producerIds = 0;
  closed = false;
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock, partitions = 3) {
    this.clock = clock;
    this.partitions = partitions;
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    await this.pass(1);
    if (!this.reachable()) throw new BridgeError('nobody there', { sent: false });
    return {
      brokers: new Map(this.brokers.map((id) => [id, `broker-${id}:9092`] as const)),
      topics: new Map(
        topics.map((topic) => {
          const errorCode = this.topics.has(topic) ? this.topicError(topic) : 3;
          const count = errorCode === 0 ? this.partitions : 0;
          const partitions = Array.from({ length: count }, (_, partition) => ({
            partition,
            leader: this.leaderOf(topic, partition),
          }));
          return [topic, { errorCode, partitions, isWritable: this.isWritable(topic) }] as const;
        }),
      ),
    };
  }

  async initProducerId(): Promise<ProducerIdentity> {
    await this.pass(1);
    if (!this.reachable()) throw new BridgeError('nobody there', { sent: false });
    return { producerId: BigInt(++this.producerIds), producerEpoch: 0 };
  }

  async produce(nodeId: number, body: ProduceBody): Promise<Buffer> {
    this.requests++;
    // As a socket: the bytes leave when they are written, whatever becomes of the sink's buffers.
    const bytes = Buffer.concat(body.chunks);
    if (bytes.length !== body.byteLength) throw new Error('byteLength is wrong');
    const parts = readRequest(bytes);
    const carriage: Carriage = this.reachable() ? this.carriage(nodeId) : { kind: 'not-connected' };
    if (carriage.kind === 'not-connected') throw new BridgeError('refused', { sent: false });
    const now = (this.underWay.get(nodeId) ?? 0) + 1;
    this.underWay.set(nodeId, now);
    this.mostUnderWay = Math.max(this.mostUnderWay, now);
    try {
      if (carriage.kind === 'break') {
        if (carriage.appended) for (const part of parts) this.serve(nodeId, part);
        await this.pass(carriage.delayMs);
        throw new BridgeError('the connection was closed', { sent: true });
      }
      const codes = parts.map((part) => this.serve(nodeId, part));
      await this.pass(carriage.delayMs);
      return answer(parts, codes);
    } finally {
      this.underWay.set(nodeId, this.underWay.get(nodeId)! - 1);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  log(topic: string, partition: number): PartitionLog {
    const name = `${topic}-${partition}`;
    let log = this.logs.get(name);
    if (log === undefined) {
      log = { records: [], producers: new Map() };
      this.logs.set(name, log);
    }
    return log;
  }

  /** Everything in a topic, partition by partition. */
  recordsOf(topic: string): ReadRecord[] {
    return Array.from({ length: this.partitions }, (_, index) => this.log(topic, index).records).flat();
  }

  private serve(nodeId: number, part: SeenPart): number {
    if (this.leaderOf(part.topic, part.partition) !== nodeId) return 6;
    const batch = readBatch(part.bytes);
    const fate = this.fate(part, batch.records.length);
    if (fate.kind === 'refuse') return fate.code;
    const code = this.append(part, batch);
    return fate.kind === 'append-and-refuse' && code === 0 ? fate.code : code;
  }

  private append(part: SeenPart, batch: ReturnType<typeof readBatch>): number {
    if (batch.records.length > this.maxBatchRecords || part.bytes.length > this.maxBatchBytes) return 10;
    const log = this.log(part.topic, part.partition);
    const first = batch.baseSequence;
    const last = first + batch.lastOffsetDelta;
    const known = log.producers.get(batch.producerId);
    if (known !== undefined) {
      if (known.some((each) => each.first === first && each.last === last)) return 0;
      if (first !== known[known.length - 1]!.last + 1) return 45;
    } else if (first !== 0) return 45;
    log.producers.set(batch.producerId, [...(known ?? []), { first, last }].slice(-5));
    log.records.push(...batch.records);
    return 0;
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}

function readRequest(bytes: Buffer): SeenPart[] {
  let at = 0;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const int16 = () => take(2).readInt16BE();
  const int32 = () => take(4).readInt32BE();
  if (int16() !== -1) throw new Error('a transactional id');
  if (int16() !== -1) throw new Error('acks is not all');
  int32(); // timeout
  const parts: SeenPart[] = [];
  const seen = new Set<string>();
  for (let topics = int32(); topics > 0; topics--) {
    const topic = take(int16()).toString();
    if (seen.has(topic)) throw new Error('a topic stands twice in a request');
    seen.add(topic);
    for (let count = int32(); count > 0; count--) {
      const partition = int32();
      if (seen.has(`${topic}-${partition}`)) throw new Error('a partition stands twice in a request');
      seen.add(`${topic}-${partition}`);
      parts.push({ topic, partition, bytes: take(int32()) });
    }
  }
  if (at !== bytes.length) throw new Error('bytes are left behind the request');
  return parts;
}

function answer(parts: readonly SeenPart[], codes: readonly number[]): Buffer {
  const chunks: Buffer[] = [];
  const int = (value: number, size: number) => {
    const chunk = Buffer.alloc(size);
    chunk.writeIntBE(value, 0, Math.min(size, 6));
    chunks.push(chunk);
  };
  int(parts.length, 4);
  for (const [index, { topic, partition }] of parts.entries()) {
    int(Buffer.byteLength(topic), 2);
    chunks.push(Buffer.from(topic));
    int(1, 4);
    int(partition, 4);
    int(codes[index]!, 2);
    chunks.push(Buffer.alloc(24));
  }
  int(0, 4);
  return Buffer.concat(chunks);
}
