import { partitionOf, type SinkStatus } from '@tickline/schemas';
import { Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import type { Config } from '../../../services/ingestor/src/config.ts';
import type {
  EncodedTick,
  Sink,
  SinkListener,
  SinkStream,
  StreamDescriptor,
} from '../../../services/ingestor/src/sinks/sink.ts';

/** Records of one call; more in a call cost more for each, as kafkajs groups in quadratic time. */
const RECORDS_PER_CALL = 1_000;
const LINGER_MS = 5;
const FULL_RECORDS = 50_000;
const DRAINED_RECORDS = 10_000;

/**
 * The benchmark's baseline: the same sink contract over kafkajs' public `sendBatch`, as well as that
 * can be tuned: about 1,000 records a call, a linger, partitions computed once for each symbol, one
 * call after the other so that order holds. It repairs nothing and conflates nothing.
 */
export class KafkajsSendBatchSink implements Sink {
  readonly name = 'kafka';
  readonly format = 'avro';
  readonly mayRefuse = true;
  private readonly producer: Producer;
  private readonly kafka: Kafka;
  private readonly prefix: string;
  private readonly partitions: number;
  private readonly waiting: { topic: string; message: Message }[] = [];
  private listener: SinkListener | null = null;
  private sending = false;
  private full = false;
  private acknowledged = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(config: Config) {
    this.kafka = new Kafka({
      brokers: [...config.kafka.brokers],
      clientId: config.kafka.clientId,
      logLevel: logLevel.ERROR,
    });
    this.producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    this.prefix = config.kafka.topicPrefix;
    this.partitions = config.topics.partitions;
  }

  async start(listener: SinkListener): Promise<void> {
    this.listener = listener;
    await this.producer.connect();
  }

  stream({ topic, key }: StreamDescriptor): SinkStream {
    const name = `${this.prefix}${topic}`;
    const keyBytes = Buffer.from(key);
    const partition = partitionOf(keyBytes, this.partitions);
    return {
      append: (tick: EncodedTick) => {
        const value = Buffer.from(tick.bytes.subarray(tick.start, tick.end));
        this.waiting.push({
          topic: name,
          message: { key: keyBytes, value, partition, timestamp: String(tick.timestampMs) },
        });
        if (this.waiting.length >= FULL_RECORDS && !this.full) {
          this.full = true;
          setImmediate(() => this.listener?.full(this.name));
        }
        this.timer ??= setTimeout(() => void this.send(), LINGER_MS);
        return true;
      },
    };
  }

  deadLetter(): void {
    // No frame of the generator is invalid.
  }

  private async send(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length > 0) {
      const records = this.waiting.splice(0, RECORDS_PER_CALL);
      const byTopic = new Map<string, Message[]>();
      for (const { topic, message } of records) {
        const messages = byTopic.get(topic);
        if (messages === undefined) byTopic.set(topic, [message]);
        else messages.push(message);
      }
      await this.producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
      });
      this.acknowledged += records.length;
      if (this.full && this.waiting.length < DRAINED_RECORDS) {
        this.full = false;
        this.listener?.drained(this.name);
      }
    }
    this.sending = false;
    this.timer = null;
  }

  async flush(): Promise<boolean> {
    await this.send();
    return true;
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    await this.producer.disconnect();
  }

  status(): SinkStatus {
    return {
      sink: this.name,
      healthy: true,
      detail: null,
      queuedRecords: this.waiting.length,
      queuedBytes: 0,
      queueLimitBytes: 0,
      acknowledged: this.acknowledged,
      dropped: 0,
    };
  }
}
