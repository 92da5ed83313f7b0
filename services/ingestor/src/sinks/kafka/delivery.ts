import { PASSING, retryDelay, SET_ASIDE } from '../retry-delay.ts';
import type { SinkListener } from '../sink.ts';
import type { BridgeError, KafkaBridge } from './bridge.ts';
import type { KafkaCounters } from './counters.ts';
import type { KafkaStream } from './kafka-stream.ts';
import { LossReport } from './loss-report.ts';
import type { ResolvedKafkaOptions } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';
import {
  CORRUPT_MESSAGE,
  errorName,
  isCertain,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
  UNKNOWN_TOPIC_OR_PARTITION,
  verdictOf,
} from './produce-errors.ts';

/** A partition that takes nothing for so long is told of, though its error passes by itself. */
export const FAILING_AFTER_MS = 5_000;
/** After so many answers that its bytes are damaged, the batch itself is suspected. */
const DAMAGED_TO_SPLIT = 5;

/** What delivery asks of its owner. */
export interface DeliveryOwner {
  /** Leaders may have moved. */
  refreshLeaders(): void;
  /** The partition may have become ready to send. */
  waiting(partition: PartitionQueue): void;
}

/**
 * Decides what becomes of a partition's batch after each attempt to send it. Whatever happens, the batch stays
 * first in its partition until it is written, split, or given up and reported.
 */
export class Delivery {
  private readonly options: ResolvedKafkaOptions;
  private readonly bridge: KafkaBridge;
  private readonly counters: KafkaCounters;
  private readonly streams: readonly KafkaStream[];
  private readonly listener: SinkListener;
  private readonly owner: DeliveryOwner;
  private readonly withoutIdentity = new Set<PartitionQueue>();
  /** Why there is no new producer id, while some partition waits for one. */
  identityTrouble: string | null = null;
  private identityAttempts = 0;
  private askingIdentity = false;
  private closed = false;

  constructor(parts: {
    options: ResolvedKafkaOptions;
    bridge: KafkaBridge;
    counters: KafkaCounters;
    streams: readonly KafkaStream[];
    listener: SinkListener;
    owner: DeliveryOwner;
  }) {
    this.options = parts.options;
    this.bridge = parts.bridge;
    this.counters = parts.counters;
    this.streams = parts.streams;
    this.listener = parts.listener;
    this.owner = parts.owner;
  }

  close(): void {
    this.closed = true;
  }

  /** The broker answered for this partition's head. */
  answered(partition: PartitionQueue, code: number): void {
    const verdict = verdictOf(code);
    if (verdict === 'written') {
      this.written(partition);
      return;
    }
    const head = partition.head!;
    const name = errorName(code);
    partition.failure = code;
    this.counters.countError(name);
    if (!isCertain(code)) head.inDoubt = true;
    if (verdict === 'new-identity') {
      this.newIdentity(partition, name);
      return;
    }
    if (code === CORRUPT_MESSAGE && ++head.damaged >= DAMAGED_TO_SPLIT) {
      this.split(partition, code);
      return;
    }
    switch (verdict) {
      case 'split':
        this.split(partition, code);
        return;
      case 'set-aside':
        this.setAside(partition, code);
        return;
      case 'again':
        this.again(partition, code);
    }
  }

  /** No answer came for these partitions' heads. */
  unanswered(partitions: readonly PartitionQueue[], error: BridgeError): void {
    this.counters.countError('CONNECTION');
    for (const partition of partitions) {
      if (error.sent) partition.head!.inDoubt = true;
      this.counters.retries++;
    }
    this.owner.refreshLeaders();
  }

  /** The cluster does not know the partition, or not its leader: as an answer, but nothing was sent. */
  unavailable(partition: PartitionQueue, code: number): void {
    if (partition.busy) return;
    if (verdictOf(code) === 'set-aside') this.setAside(partition, code);
    else this.failed(partition, code);
  }

  /** The partition has a leader again: no need to wait any longer. */
  available(partition: PartitionQueue): void {
    partition.notBefore = 0;
    // What is set aside with a batch to send is taken back when that is written.
    if (partition.head === null) this.recovered(partition);
  }

  private written(partition: PartitionQueue): void {
    const head = partition.head!;
    this.counters.records += head.count;
    this.counters.bytes += head.bytes.length;
    this.counters.batches++;
    partition.headWritten();
    this.recovered(partition);
  }

  private recovered(partition: PartitionQueue): void {
    if (partition.failures === 0) return;
    const wasTold = partition.setAside !== 0 || partition.isFailureTold;
    partition.failures = 0;
    partition.failingSince = 0;
    partition.failure = 0;
    partition.isFailureTold = false;
    partition.notBefore = 0;
    partition.setAside = 0;
    if (!wasTold) return;
    this.options.log.info('partition-resumed', `${partition.name} takes records again`, {
      sink: 'kafka',
      data: { topic: partition.topic, partition: partition.partition },
    });
  }

  private again(partition: PartitionQueue, code: number): void {
    this.counters.retries++;
    this.failed(partition, code);
    // Most of these come from a leader that moved; for the others asking once more does no harm.
    this.owner.refreshLeaders();
  }

  private failed(partition: PartitionQueue, code: number): void {
    const { clock, random, unknownTopicMs } = this.options;
    const now = clock.now();
    if (partition.failures++ === 0) partition.failingSince = now;
    partition.failure = code;
    partition.notBefore = now + retryDelay(partition.failures, PASSING, random);
    const failingFor = now - partition.failingSince;
    if (code === UNKNOWN_TOPIC_OR_PARTITION && failingFor >= unknownTopicMs) this.setAside(partition, code);
    else if (failingFor >= FAILING_AFTER_MS) this.tellFailing(partition, code);
  }

  private tellFailing(partition: PartitionQueue, code: number): void {
    if (partition.isFailureTold) return;
    partition.isFailureTold = true;
    this.options.log.warn('partition-failing', `${partition.name} takes no records: ${errorName(code)}`, {
      sink: 'kafka',
      reason: errorName(code),
      data: { topic: partition.topic, partition: partition.partition },
    });
  }

  private setAside(partition: PartitionQueue, code: number): void {
    const { clock, random, log } = this.options;
    const now = clock.now();
    if (partition.failures++ === 0) partition.failingSince = now;
    partition.notBefore = now + retryDelay(partition.failures, SET_ASIDE, random);
    if (partition.setAside === code) return;
    partition.setAside = code;
    log.error('partition-set-aside', `${partition.name} is set aside: ${errorName(code)}. ${hintFor(code)}`, {
      sink: 'kafka',
      reason: errorName(code),
      data: { topic: partition.topic, partition: partition.partition },
    });
  }

  private split(partition: PartitionQueue, code: number): void {
    const head = partition.head!;
    const name = errorName(code);
    // An earlier attempt may have been written under these sequence numbers. Other records must not get the
    // same ones: the broker could take them for a repeat and drop them silently.
    if (head.inDoubt) {
      this.newIdentity(partition, name);
      return;
    }
    if (code === MESSAGE_TOO_LARGE || code === RECORD_LIST_TOO_LARGE) partition.learnLimit();
    if (head.count > 1) {
      partition.splitHead();
      return;
    }
    const report = new LossReport();
    report.addBatch(head, this.streams);
    const bytes = head.end;
    partition.dropHead();
    this.counters.lost += report.tell(`refused by Kafka: ${name}`, (stream, loss) =>
      this.listener.lost(stream, loss),
    );
    this.counters.deadLettersDropped += report.deadLetters;
    this.options.log.warn('record-refused', `a record for ${partition.name} was given up: ${name}`, {
      sink: 'kafka',
      reason: name,
      data: { topic: partition.topic, partition: partition.partition, bytes },
    });
  }

  private newIdentity(partition: PartitionQueue, name: string): void {
    const head = partition.head!;
    const { clock, random, log } = this.options;
    this.counters.newIdentities++;
    const now = clock.now();
    if (partition.failures++ === 0) partition.failingSince = now;
    if (partition.failures > 1) {
      partition.notBefore = now + retryDelay(partition.failures - 1, PASSING, random);
    }
    log.warn('new-producer-id', `${partition.name} goes on under a new producer id: ${name}`, {
      sink: 'kafka',
      reason: name,
      data: { topic: partition.topic, partition: partition.partition, repeatsPossible: head.inDoubt },
    });
    if (head.inDoubt) {
      const report = new LossReport();
      report.addBatch(head, this.streams);
      this.counters.repeated += report.tell(
        `written again under a new producer id: ${name}`,
        (stream, repeat) => this.listener.repeated(stream, repeat),
      );
      // Told; under the new identity its way starts anew.
      head.inDoubt = false;
    }
    partition.loseIdentity();
    this.withoutIdentity.add(partition);
    this.askIdentity();
  }

  /** One producer id for all partitions that lost theirs: none of them has used it. */
  private askIdentity(): void {
    if (this.askingIdentity || this.closed) return;
    this.askingIdentity = true;
    const asking = [...this.withoutIdentity];
    this.bridge.initProducerId().then(
      (identity) => {
        this.askingIdentity = false;
        this.identityAttempts = 0;
        this.identityTrouble = null;
        for (const partition of asking) {
          this.withoutIdentity.delete(partition);
          partition.identity = identity;
          this.owner.waiting(partition);
        }
        // Others may have lost theirs meanwhile; this id could be too old for them.
        if (this.withoutIdentity.size > 0) this.askIdentity();
      },
      (error: unknown) => {
        if (this.closed) return;
        this.counters.countError('INIT_PRODUCER_ID');
        const message = error instanceof Error ? error.message : String(error);
        if (message !== this.identityTrouble) {
          this.options.log.warn('producer-id-failed', `no producer id yet, asking again: ${message}`, {
            sink: 'kafka',
          });
        }
        this.identityTrouble = message;
        const delay = retryDelay(++this.identityAttempts, PASSING, this.options.random);
        this.options.clock.after(delay, () => {
          this.askingIdentity = false;
          this.askIdentity();
        });
      },
    );
  }
}

/** What to do about an error that does not pass by itself. */
function hintFor(code: number): string {
  switch (errorName(code)) {
    case 'TOPIC_AUTHORIZATION_FAILED':
      return 'Add an ACL that allows our user (of kafka.sasl, or of kafka.ssl.certFile) Write on the topic; until then it is tried again from time to time.';
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return 'The topic is gone: run `ingestor provision`.';
    default:
      return 'It is tried again from time to time.';
  }
}
