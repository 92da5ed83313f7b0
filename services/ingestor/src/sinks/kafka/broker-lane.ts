import { PASSING, retryDelay } from '../retry-delay.ts';
import { BridgeError, type KafkaBridge } from './bridge.ts';
import type { KafkaCounters } from './counters.ts';
import type { Delivery } from './delivery.ts';
import type { ResolvedKafkaOptions } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { UNKNOWN_SERVER_ERROR } from './produce-errors.ts';
import { decodeProduceAnswer, encodeProduce, type PartitionAnswer } from './produce-request.ts';

/** Most in one request. Brokers refuse more than `socket.request.max.bytes`, 100 MiB by default. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** With so much waiting a request is worth its price: no lingering. */
const WORTH_A_REQUEST = 64 * 1024;
/** Brokers give up waiting for followers a little before we give up waiting for the broker. */
const BROKER_TIMEOUT_SHARE = 0.8;

/** What a lane is built from. */
export interface LaneParts {
  readonly options: ResolvedKafkaOptions;
  readonly bridge: KafkaBridge;
  readonly counters: KafkaCounters;
  readonly delivery: Delivery;
  readonly owner: {
    /** These partitions' batches were dealt with; some may have gone to another broker meanwhile. */
    settled(partitions: readonly PartitionQueue[]): void;
  };
}

/**
 * The way to one broker: one request at a time, with at most one batch of each partition that the broker
 * leads. The next goes when the answer is there; a record waits for others no longer than the linger, and not
 * at all when enough waits.
 */
export class BrokerLane {
  readonly nodeId: number;
  /** Partitions whose leader this broker is. */
  partitions: PartitionQueue[] = [];
  /** True while somebody waits for everything to be acknowledged: no lingering. */
  isFlushing = false;
  /** Why the broker was not reached, since when; null when it was. */
  trouble: { readonly message: string; readonly since: number } | null = null;

  private readonly parts: LaneParts;
  private busy = false;
  private closed = false;
  private failures = 0;
  private notBefore = 0;
  /** The partition to begin with, so that none is starved by the bound of the request. */
  private turn = 0;
  private cancelTimer: (() => void) | null = null;
  private timerDue = Number.POSITIVE_INFINITY;

  constructor(nodeId: number, parts: LaneParts) {
    this.nodeId = nodeId;
    this.parts = parts;
  }

  /** A partition has something to send: see to it that it goes within the linger. */
  waiting(partition: PartitionQueue, now: number): void {
    if (this.busy || this.closed) return;
    const soon = partition.hasComplete || this.isFlushing;
    this.wakeAt(soon ? now : now + this.parts.options.lingerMs);
  }

  close(): void {
    this.closed = true;
    this.cancelTimer?.();
  }

  /** Sends what is due, or sets the timer for when something is. */
  pump(): void {
    this.stopTimer();
    if (this.busy || this.closed) return;
    const { clock, lingerMs } = this.parts.options;
    const now = clock.now();
    let bytes = 0;
    let due = Number.POSITIVE_INFINITY;
    for (const partition of this.partitions) {
      if (partition.busy || partition.identity === null || !partition.hasWaiting) continue;
      if (partition.notBefore > now) {
        due = Math.min(due, partition.notBefore);
        continue;
      }
      bytes += partition.nextBytes;
      due = Math.min(due, partition.hasComplete || this.isFlushing ? now : partition.waitingSince + lingerMs);
    }
    if (due === Number.POSITIVE_INFINITY) return;
    if (bytes >= WORTH_A_REQUEST) due = now;
    due = Math.max(due, this.notBefore);
    if (due > now) this.wakeAt(due);
    else this.send(now);
  }

  private send(now: number): void {
    const chosen: PartitionQueue[] = [];
    let bytes = 0;
    const count = this.partitions.length;
    for (let step = 0; step < count && bytes < MAX_REQUEST_BYTES; step++) {
      const partition = this.partitions[(this.turn + step) % count]!;
      if (partition.busy || partition.identity === null || partition.notBefore > now) continue;
      const head = partition.takeHead();
      if (head === null) continue;
      if (chosen.length > 0 && bytes + head.end > MAX_REQUEST_BYTES) continue;
      partition.busy = true;
      chosen.push(partition);
      bytes += head.end;
    }
    if (chosen.length === 0) {
      // What waits are held ticks that find no room. They are tried again when there is some.
      return;
    }
    this.turn = (this.turn + 1) % count;
    this.busy = true;
    void this.deliver(chosen);
  }

  private async deliver(chosen: readonly PartitionQueue[]): Promise<void> {
    const { bridge, options, counters, delivery } = this.parts;
    let answers: readonly PartitionAnswer[] | BridgeError;
    const began = options.clock.now();
    try {
      if (options.compression === 'zstd') await compressHeads(chosen);
      for (const partition of chosen) partition.sealHead(partition.identity!);
      counters.requests++;
      const answer = await bridge.produce(this.nodeId, this.bodyOf(chosen));
      answers = decodeProduceAnswer(answer).partitions;
      counters.ackLatencyMs.observe(options.clock.now() - began);
    } catch (error) {
      answers =
        error instanceof BridgeError ? error : new BridgeError(String(error), { sent: true, cause: error });
    }
    if (this.closed) return;
    for (const partition of chosen) partition.busy = false;
    if (answers instanceof BridgeError) this.unreachable(chosen, answers);
    else {
      this.reached();
      const codes = new Map<string, number>();
      for (const { topic, partition, errorCode } of answers) codes.set(`${topic}-${partition}`, errorCode);
      for (const partition of chosen) {
        delivery.answered(partition, codes.get(partition.name) ?? UNKNOWN_SERVER_ERROR);
      }
    }
    this.busy = false;
    this.parts.owner.settled(chosen);
    this.pump();
  }

  private bodyOf(chosen: readonly PartitionQueue[]) {
    const { requestTimeoutMs } = this.parts.options;
    return encodeProduce(
      chosen.map(({ topic, partition, head }) => ({ topic, partition, batch: head!.bytes })),
      Math.floor(requestTimeoutMs * BROKER_TIMEOUT_SHARE),
    );
  }

  private reached(): void {
    if (this.trouble !== null) {
      this.parts.options.log.info('broker-reached', `broker ${this.nodeId} answers again`, { sink: 'kafka' });
    }
    this.failures = 0;
    this.trouble = null;
  }

  private unreachable(chosen: readonly PartitionQueue[], error: BridgeError): void {
    const { options, delivery } = this.parts;
    const now = options.clock.now();
    this.failures++;
    this.notBefore = now + retryDelay(this.failures, PASSING, options.random);
    if (this.trouble?.message !== error.message) {
      options.log.warn('broker-unreachable', `broker ${this.nodeId} does not answer: ${error.message}`, {
        sink: 'kafka',
        error,
      });
    }
    this.trouble = { message: error.message, since: this.trouble?.since ?? now };
    delivery.unanswered(chosen, error);
  }

  private wakeAt(due: number): void {
    if (this.timerDue <= due) return;
    this.stopTimer();
    this.timerDue = due;
    const { clock } = this.parts.options;
    this.cancelTimer = clock.after(Math.max(0, due - clock.now()), () => this.pump());
  }

  private stopTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.timerDue = Number.POSITIVE_INFINITY;
  }
}

async function compressHeads(chosen: readonly PartitionQueue[]): Promise<void> {
  await Promise.all(
    chosen.map(async (partition) => {
      const head = partition.head!;
      if (head.isCompressed) return;
      const before = head.heldBytes;
      await head.compress();
      partition.addHeld(head.heldBytes - before);
    }),
  );
}
