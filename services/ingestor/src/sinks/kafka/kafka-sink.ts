import { isTickChannel, partitionOf, type SinkStatus, topicName } from '@tickline/schemas';
import { PASSING, retryDelay } from '../retry-delay.ts';
import type {
  DeadLetter,
  Sink,
  SinkListener,
  SinkReading,
  SinkStream,
  StreamDescriptor,
  TickFormat,
} from '../sink.ts';
import { SinkRefusedError } from '../sink.ts';
import { principalOf } from './access.ts';
import { BatchMemory } from './batch-memory.ts';
import { BridgeError, type ClusterMetadata, type KafkaBridge, NO_LEADER } from './bridge.ts';
import { BrokerLane } from './broker-lane.ts';
import { KafkaCounters } from './counters.ts';
import { DeadLetters } from './dead-letters.ts';
import { Delivery, FAILING_AFTER_MS } from './delivery.ts';
import { KafkaStream } from './kafka-stream.ts';
import { KafkajsBridge } from './kafkajs-bridge.ts';
import { Leaders } from './leaders.ts';
import { LossReport } from './loss-report.ts';
import { type KafkaSinkOptions, type ResolvedKafkaOptions, withDefaults } from './options.ts';
import { PartitionQueue } from './partition-queue.ts';
import {
  errorName,
  NO_ERROR,
  TOPIC_AUTHORIZATION_FAILED,
  UNKNOWN_TOPIC_OR_PARTITION,
} from './produce-errors.ts';
import type { ProducerIdentity } from './record-batch.ts';

/** The Kafka sink can't start: retrying would not help. The message names the setting. */
export class KafkaSinkError extends SinkRefusedError {
  override name = 'KafkaSinkError';
}

interface FlushWaiter {
  /** Partition → how many of its records must be settled. */
  readonly goals: ReadonlyMap<PartitionQueue, number>;
  readonly resolve: (all: boolean) => void;
}

/**
 * Ticks into Kafka: appended to a batch of their partition, sent in order with acks=all under idempotent
 * sequence numbers of our own, and sent again until the broker has them.
 */
export class KafkaSink implements Sink {
  readonly name = 'kafka';
  readonly format: TickFormat = 'avro';
  readonly mayRefuse = true;
  readonly counters: KafkaCounters = new KafkaCounters();

  private readonly options: ResolvedKafkaOptions;
  private readonly bridge: KafkaBridge;
  private readonly memory: BatchMemory;
  /** Topic without prefix → its partitions by number. */
  private readonly partitionsOf = new Map<string, PartitionQueue[]>();
  private readonly partitions: PartitionQueue[] = [];
  private readonly lanes = new Map<number, BrokerLane>();
  private readonly streams: KafkaStream[] = [];
  private readonly waiters = new Set<FlushWaiter>();
  /** Topic → the number of partitions that the log was told of, more than at the start. */
  private readonly countsTold = new Map<string, number>();
  private listener: SinkListener | null = null;
  private delivery: Delivery | null = null;
  private leaders: Leaders | null = null;
  private deadLetters: DeadLetters | null = null;
  private cancelStart: (() => void) | null = null;
  private closed = false;

  constructor(options: KafkaSinkOptions, bridge?: KafkaBridge) {
    this.options = withDefaults(options);
    this.bridge = bridge ?? new KafkajsBridge(this.options);
    this.memory = new BatchMemory(this.options.queueBytes, this.options.batchBytes, {
      full: () => this.tell((listener) => listener.full(this.name)),
      drained: () => this.tell((listener) => listener.drained(this.name)),
      relieved: () => queueMicrotask(() => this.pumpAll()),
    });
  }

  /**
   * Connects, checks that the topics are there, and takes a producer id. A cluster that does not answer is
   * asked again for as long as it takes; a log line tells each change. Rejects with KafkaSinkError for a
   * missing topic, a failed login, a certificate that is not trusted.
   */
  async start(listener: SinkListener): Promise<void> {
    this.listener = listener;
    const { options } = this;
    const topics = options.topics.map((topic) => topicName(options.topicPrefix, topic));
    const metadata = await this.untilDone('metadata', async () => {
      const answer = await this.bridge.metadata(topics);
      for (const topic of topics) this.checkTopic(topic, answer);
      return answer;
    });
    const identity = await this.untilDone('producer id', () => this.bridge.initProducerId());

    this.delivery = new Delivery({
      options,
      bridge: this.bridge,
      counters: this.counters,
      streams: this.streams,
      listener,
      owner: {
        refreshLeaders: () => this.leaders?.refresh(),
        waiting: (partition) => this.waiting(partition),
      },
    });
    for (const topic of options.topics) this.openTopic(topic, metadata, identity);
    this.deadLetters = this.partitionsOf.has('invalid')
      ? new DeadLetters(options.deadLettersPerSecond, options.clock, this.counters, (key) =>
          this.partitionFor('invalid', key),
        )
      : null;
    this.leaders = new Leaders(options, this.bridge, topics, (answer) => this.applyLeaders(answer));
    this.leaders.start();
    this.applyLeaders(metadata);
  }

  /** After `start`. */
  stream(descriptor: StreamDescriptor): SinkStream {
    const key = Buffer.from(descriptor.key);
    const stream = new KafkaStream(
      descriptor,
      this.streams.length,
      this.partitionFor(descriptor.topic, key),
      !isTickChannel(descriptor.topic),
      this.memory,
      this.counters,
    );
    this.streams.push(stream);
    return stream;
  }

  deadLetter(letter: DeadLetter): void {
    if (this.deadLetters === null || this.closed) this.counters.deadLettersDropped++;
    else this.deadLetters.write(letter);
  }

  flush(budgetMs: number): Promise<boolean> {
    const goals = new Map(
      this.partitions.map(
        (partition) => [partition, partition.appendedRecords + partition.heldTicks.length] as const,
      ),
    );
    return new Promise((resolve) => {
      const waiter: FlushWaiter = {
        goals,
        resolve: (all) => {
          cancel();
          this.waiters.delete(waiter);
          for (const lane of this.lanes.values()) lane.isFlushing = this.waiters.size > 0;
          resolve(all);
        },
      };
      const cancel = this.options.clock.after(budgetMs, () => waiter.resolve(false));
      this.waiters.add(waiter);
      for (const lane of this.lanes.values()) lane.isFlushing = true;
      this.pumpAll();
      this.checkFlushes();
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.cancelStart?.();
    this.leaders?.close();
    this.delivery?.close();
    for (const lane of this.lanes.values()) lane.close();
    for (const partition of this.partitions) partition.close();
    for (const waiter of [...this.waiters]) waiter.resolve(false);
    await this.bridge.close();
    this.reportUnsent();
  }

  status(): SinkStatus {
    const { counters, memory } = this;
    return {
      sink: this.name,
      healthy: this.isHealthy(),
      detail: this.troubles().join('; ') || null,
      queuedRecords: this.queuedRecords,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      dropped: counters.shed + counters.lost + counters.deadLettersDropped,
    };
  }

  reading(): SinkReading {
    const { counters, memory } = this;
    return {
      sink: this.name,
      queuedRecords: this.queuedRecords,
      queuedBytes: memory.held,
      queueLimitBytes: memory.limit,
      acknowledged: counters.records,
      retries: counters.retries,
      errorsByCode: counters.errorsByCode,
      ackLatencyMs: counters.ackLatencyMs,
      conflated: counters.conflated,
      shed: counters.shed + counters.lost,
      deadLettersDropped: counters.deadLettersDropped,
    };
  }

  private get queuedRecords(): number {
    return this.partitions.reduce(
      (sum, partition) => sum + partition.queuedRecords + partition.heldTicks.length,
      0,
    );
  }

  /** A partition has something to send. */
  waiting(partition: PartitionQueue): void {
    const now = this.options.clock.now();
    if ((partition.open?.count ?? 0) === 0) partition.waitingSince = now;
    this.lanes.get(partition.leader)?.waiting(partition, now);
  }

  /** A lane has dealt with these partitions' batches. */
  settled(partitions: readonly PartitionQueue[]): void {
    for (const partition of partitions) {
      // Its leader may have moved while the answer was under way.
      if (partition.hasWaiting) this.waiting(partition);
    }
    if (this.waiters.size > 0) this.checkFlushes();
  }

  private partitionFor(topic: string, key: Uint8Array): PartitionQueue {
    const partitions = this.partitionsOf.get(topic);
    if (partitions === undefined) {
      throw new KafkaSinkError(`the Kafka sink has no topic "${topic}" open: start() comes first`);
    }
    return partitions[partitionOf(key, partitions.length)]!;
  }

  private openTopic(topic: string, metadata: ClusterMetadata, identity: ProducerIdentity): void {
    const name = topicName(this.options.topicPrefix, topic as Parameters<typeof topicName>[1]);
    const count = metadata.topics.get(name)!.partitions.length;
    const partitions = Array.from({ length: count }, (_, index) => {
      const partition = new PartitionQueue(name, index, this.memory, this);
      partition.identity = identity;
      return partition;
    });
    this.partitionsOf.set(topic, partitions);
    this.partitions.push(...partitions);
  }

  /** Asks again until it works; rejects when that cannot be. */
  private async untilDone<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { clock, random, log } = this.options;
    let last = '';
    const stopWhenClosed = () => {
      if (this.closed) throw new KafkaSinkError('closed before it had started');
    };
    for (let failures = 1; ; failures++) {
      try {
        const answer = await attempt();
        // What is begun after the end would never end.
        stopWhenClosed();
        if (last !== '') log.info('kafka-reached', `Kafka answers (${what})`, { sink: this.name });
        return answer;
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        stopWhenClosed();
        if (error.setting !== null) throw new KafkaSinkError(error.message, { cause: error });
        if (error.message !== last) {
          log.warn('kafka-unreachable', `waiting for Kafka (${what}): ${error.message}`, {
            sink: this.name,
            error,
            data: { brokers: this.options.brokers.join(',') },
          });
        }
        last = error.message;
      }
      await new Promise<void>((resolve) => {
        const cancel = clock.after(retryDelay(failures, PASSING, random), resolve);
        this.cancelStart = () => {
          cancel();
          resolve();
        };
      });
      stopWhenClosed();
    }
  }

  private checkTopic(topic: string, metadata: ClusterMetadata): void {
    const { errorCode, partitions, isWritable } = metadata.topics.get(topic) ?? {
      errorCode: UNKNOWN_TOPIC_OR_PARTITION,
      partitions: [],
      isWritable: true,
    };
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      throw new KafkaSinkError(
        `topic "${topic}" does not exist on ${this.options.brokers.join(',')}: run \`ingestor provision\`, or correct kafka.topicPrefix`,
      );
    }
    if (errorCode === TOPIC_AUTHORIZATION_FAILED || !isWritable) {
      const who = principalOf(this.options.access());
      const what = isWritable ? 'see' : 'write to';
      throw new KafkaSinkError(
        `${who} may not ${what} the topic ${topic} (kafka.topicPrefix): add an ACL that allows it Write there, which includes Describe`,
      );
    }
    if (errorCode !== NO_ERROR || partitions.length === 0) {
      throw new BridgeError(`topic ${topic}: ${errorName(errorCode)}`, { sent: true });
    }
  }

  /** Gives each partition to its leader's lane; false when one has no leader. */
  private applyLeaders(metadata: ClusterMetadata): boolean {
    let complete = true;
    this.watchCounts(metadata);
    for (const partition of this.partitions) {
      const topic = metadata.topics.get(partition.topic);
      const code = topic === undefined ? UNKNOWN_TOPIC_OR_PARTITION : topic.errorCode;
      const leader = topic?.partitions[partition.partition]?.leader ?? NO_LEADER;
      if (leader === NO_LEADER) complete = false;
      if (code !== NO_ERROR) this.delivery!.unavailable(partition, code);
      this.moveTo(leader, partition);
    }
    return complete;
  }

  /** Partition counts are fixed for life: with another one a key's records would no longer be in order. */
  private watchCounts(metadata: ClusterMetadata): void {
    for (const partitions of this.partitionsOf.values()) {
      const { topic } = partitions[0]!;
      const count = metadata.topics.get(topic)?.partitions.length ?? 0;
      if (count <= (this.countsTold.get(topic) ?? partitions.length)) continue;
      this.countsTold.set(topic, count);
      this.options.log.error(
        'partitions-added',
        `${topic} has ${count} partitions now and had ${partitions.length} at the start: keys keep theirs until this pod starts again, and then move`,
        { sink: this.name, data: { topic, partitions: count } },
      );
    }
  }

  private moveTo(leader: number, partition: PartitionQueue): void {
    if (partition.leader === leader) return;
    const old = this.lanes.get(partition.leader);
    if (old !== undefined) old.partitions = old.partitions.filter((each) => each !== partition);
    partition.leader = leader;
    if (leader === NO_LEADER) return;
    this.laneOf(leader).partitions.push(partition);
    if (old === undefined) this.delivery!.available(partition);
    if (partition.hasWaiting) this.waiting(partition);
  }

  private laneOf(nodeId: number): BrokerLane {
    let lane = this.lanes.get(nodeId);
    if (lane === undefined) {
      lane = new BrokerLane(nodeId, {
        options: this.options,
        bridge: this.bridge,
        counters: this.counters,
        delivery: this.delivery!,
        owner: this,
      });
      lane.isFlushing = this.waiters.size > 0;
      this.lanes.set(nodeId, lane);
    }
    return lane;
  }

  private pumpAll(): void {
    for (const lane of this.lanes.values()) lane.pump();
  }

  private checkFlushes(): void {
    for (const waiter of [...this.waiters]) {
      let all = true;
      for (const [partition, goal] of waiter.goals) all &&= partition.settled >= goal;
      if (all) waiter.resolve(true);
    }
  }

  /** Never from within `append`. */
  private tell(say: (listener: SinkListener) => void): void {
    queueMicrotask(() => {
      if (!this.closed) say(this.listener!);
    });
  }

  private isHealthy(): boolean {
    if (this.leaders === null || this.closed) return false;
    const now = this.options.clock.now();
    const long = (trouble: { since: number } | null) =>
      trouble !== null && now - trouble.since > FAILING_AFTER_MS;
    return (
      !long(this.leaders.trouble) &&
      ![...this.lanes.values()].some((lane) => lane.partitions.length > 0 && long(lane.trouble)) &&
      !this.partitions.some(
        (each) =>
          each.setAside !== 0 || (each.leader === NO_LEADER && each.hasWaiting) || isFailing(each, now),
      )
    );
  }

  /** What is wrong, for people. */
  private troubles(): string[] {
    if (this.leaders === null) return ['not started'];
    const texts: string[] = [];
    if (this.leaders.trouble !== null) texts.push(`Kafka does not answer: ${this.leaders.trouble.message}`);
    for (const lane of this.lanes.values()) {
      if (lane.trouble !== null && lane.partitions.length > 0) {
        texts.push(`broker ${lane.nodeId} does not answer: ${lane.trouble.message}`);
      }
    }
    const identityTrouble = this.delivery?.identityTrouble ?? null;
    if (identityTrouble !== null) texts.push(`no producer id: ${identityTrouble}`);
    const setAside = this.partitions.filter((each) => each.setAside !== 0);
    const leaderless = this.partitions.filter((each) => each.setAside === 0 && each.leader === NO_LEADER);
    const now = this.options.clock.now();
    const failing = this.partitions.filter((each) => each.leader !== NO_LEADER && isFailing(each, now));
    for (const [partitions, what, codeOf] of [
      [setAside, 'set aside', (each: PartitionQueue) => each.setAside],
      [leaderless, 'without a leader', () => NO_ERROR],
      [failing, 'not written', (each: PartitionQueue) => each.failure],
    ] as const) {
      if (partitions.length === 0) continue;
      const isForbidden = partitions.some((each) => codeOf(each) === TOPIC_AUTHORIZATION_FAILED);
      const hint = isForbidden
        ? ': allow our user (of kafka.sasl, or of kafka.ssl.certFile) Write there'
        : '';
      const names = partitions.slice(0, 3).map((each) => {
        const code = codeOf(each);
        return code === NO_ERROR ? each.name : `${each.name} (${errorName(code)})`;
      });
      const more = partitions.length > 3 ? ` and ${partitions.length - 3} more` : '';
      texts.push(`${what}: ${names.join(', ')}${more}${hint}`);
    }
    return texts;
  }

  /** What was still queued is lost: it is told by stream. */
  private reportUnsent(): void {
    const report = new LossReport();
    for (const partition of this.partitions) {
      for (const batch of partition.batches()) report.addBatch(batch, this.streams);
    }
    for (const stream of this.streams) {
      if (!stream.isHolding) continue;
      const { first, last } = stream.heldRange();
      report.add(stream, first, last);
    }
    this.counters.deadLettersDropped += report.deadLetters;
    this.counters.lost += report.tell('not acknowledged when the sink was closed', (stream, loss) =>
      this.listener?.lost(stream, loss),
    );
  }
}

/** A partition that has had something to send for long, and whose leader answers but does not take it. */
function isFailing(partition: PartitionQueue, now: number): boolean {
  const { setAside, failure, head, failingSince } = partition;
  return setAside === 0 && failure !== 0 && head !== null && now - failingSince > FAILING_AFTER_MS;
}
