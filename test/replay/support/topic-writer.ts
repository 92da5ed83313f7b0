import type { Buffer } from 'node:buffer';
import {
  avroType,
  frameValue,
  parseAvroSchema,
  type Quote,
  type RecordTopic,
  schemaText,
  type Trade,
} from '@tickline/schemas';
import { type Admin, Kafka, logLevel, type Message, Partitioners, type Producer } from 'kafkajs';
import type { Stack } from '../../../scripts/stack/stack.ts';
import { eventually } from '../../support/eventually.ts';

/** A record as a test wants it in a topic. */
export interface WantedRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
}

/** Makes topics, subjects and records as tests need them, also such as the ingestor never writes. */
export class TopicWriter {
  private readonly stack: Stack;
  private readonly producer: Producer;
  readonly admin: Admin;

  private constructor(stack: Stack) {
    this.stack = stack;
    const kafka = new Kafka({
      clientId: 'test-writer',
      brokers: [...stack.brokers],
      logLevel: logLevel.NOTHING,
    });
    this.producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    this.admin = kafka.admin();
  }

  static async open(stack: Stack): Promise<TopicWriter> {
    const writer = new TopicWriter(stack);
    await writer.admin.connect();
    await writer.producer.connect();
    return writer;
  }

  async createTopic(
    topic: string,
    partitions: number,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: partitions,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    // Answered before the broker knows that it leads the partitions: on a busy machine a while before.
    await eventually(`${topic} is served`, () => this.admin.fetchTopicOffsets(topic));
  }

  /** Registers a schema for a topic's values and returns its id. */
  async register(topic: string, text: string): Promise<number> {
    const response = await fetch(
      `${this.stack.registryUrl}/subjects/${encodeURIComponent(`${topic}-value`)}/versions`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: text }),
      },
    );
    if (!response.ok) throw new Error(`the registry answers ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { id: number }).id;
  }

  /** Registers our own schema of a topic. */
  registerOurs(topic: string, channel: RecordTopic): Promise<number> {
    return this.register(topic, JSON.stringify(JSON.parse(schemaText(channel))));
  }

  /** Writes records to the partitions that they name, in their order; one batch for each `batchSize` of a partition. */
  async write(
    topic: string,
    records: readonly WantedRecord[],
    { batchSize = 10_000, compression = 0 } = {},
  ): Promise<void> {
    for (let start = 0; start < records.length; start += batchSize) {
      const messages = records.slice(start, start + batchSize).map(
        ({ partition, key, value, timestampMs }): Message => ({
          partition,
          key,
          value,
          timestamp: String(timestampMs),
        }),
      );
      await this.producer.send({ topic, messages, compression });
    }
  }

  /** Removes what lies before an offset, as retention does. */
  async removeBefore(topic: string, partition: number, offset: number): Promise<void> {
    // kafkajs looks for the leader before it asks who that is.
    await this.admin.fetchTopicOffsets(topic);
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
    await this.admin.disconnect();
  }
}

/** A trade with every field set; `receiveTime` in microseconds. */
export function tradeAt(receiveTime: number, given: Partial<Trade> = {}): Trade {
  return {
    exchange: 'binance',
    symbol: 'BTC-USDT',
    exchangeSymbol: 'BTCUSDT',
    producer: 'p1',
    session: 's1',
    exchangeTime: receiveTime - 1500,
    receiveTime,
    sequence: 1,
    conflated: 0,
    price: '64250.1',
    quantity: '0.000000000000000001',
    contracts: null,
    side: 'buy',
    tradeId: '1',
    fillCount: null,
    ...given,
  };
}

/** A quote with one empty side unless it is given. */
export function quoteAt(receiveTime: number, given: Partial<Quote> = {}): Quote {
  return {
    exchange: 'okx',
    symbol: 'BTC-USDT',
    exchangeSymbol: 'BTC-USDT',
    producer: 'p1',
    session: 's1',
    exchangeTime: null,
    receiveTime,
    sequence: 1,
    conflated: 0,
    bidPrice: '64250',
    bidQuantity: '1.5',
    askPrice: null,
    askQuantity: null,
    bidContracts: null,
    askContracts: null,
    updateId: '7',
    ...given,
  };
}

/** The record that the ingestor would write of a tick: keyed by symbol, timed by its receive time. */
export function recordOf(
  channel: 'trades' | 'quotes',
  schemaId: number,
  partition: number,
  tick: Trade | Quote,
  schema?: string,
): WantedRecord {
  const type = schema === undefined ? ours(channel) : parseAvroSchema(schema);
  return {
    partition,
    key: tick.symbol,
    value: frameValue(schemaId, type.toBuffer(tick)),
    timestampMs: Math.floor(tick.receiveTime / 1000),
  };
}

const types = new Map<string, ReturnType<typeof avroType>>();

function ours(channel: RecordTopic): ReturnType<typeof avroType> {
  const known = types.get(channel) ?? avroType(channel);
  types.set(channel, known);
  return known;
}
