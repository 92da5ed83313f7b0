import { setImmediate as nextTurn } from 'node:timers/promises';
import { avroType, frameValue, schemaText, type Trade } from '@tickline/schemas';
import { decodeFetch } from '../fetch-request.ts';
import type { TopicSource } from '../topic-source.ts';
import { WriterSchema } from '../writer-schema.ts';
import { encodeBatch, type MadeRecord } from './encode-batch.ts';

/** A source that plays partitions from memory: what readers ask of a TopicSource, and what a test counts. */
export class PlayedTopic {
  /** Fetch requests that were answered. */
  fetches = 0;
  /** Called before each answer with the request's number; an error that it throws is the request's. */
  beforeAnswer: (fetch: number) => void = () => undefined;
  /** Answers that say there is nothing yet, as of a leader that has just become one. */
  ignorantAnswers = 0;
  private readonly partitions: readonly (readonly Buffer[])[];
  private readonly batchesPerAnswer: number;

  /** `partitions`: the batches of each, in order. */
  constructor(partitions: readonly (readonly Buffer[])[], batchesPerAnswer = 1) {
    this.partitions = partitions;
    this.batchesPerAnswer = batchesPerAnswer;
  }

  get source(): TopicSource {
    const played = {
      leaders: async () => new Map(this.partitions.map((_, partition) => [partition, 1])),
      fetch: (_: number, body: Buffer) => this.answer(body),
      schemaOf: async (id: number) => (id === TRADE_SCHEMA.id ? TRADE_SCHEMA : null),
      isKeyedBySymbol: () => true,
    };
    return played as unknown as TopicSource;
  }

  /** All of every partition. */
  ranges(topic = 'md.trades') {
    return this.partitions.map((batches, partition) => ({
      topic,
      partition,
      start: batches.length === 0 ? 0 : Number(batches[0]!.readBigInt64BE(0)),
      end: endOf(batches),
    }));
  }

  private async answer(request: Buffer): Promise<Buffer> {
    await nextTurn();
    this.beforeAnswer(++this.fetches);
    const parts: Buffer[] = [Buffer.alloc(10), int32(1), text('md.trades')];
    const wanted = wantedBy(request);
    const isIgnorant = this.ignorantAnswers-- > 0;
    parts.push(int32(wanted.length));
    for (const { partition, offset } of wanted) {
      const batches = this.partitions[partition]!;
      const high = isIgnorant ? 0 : endOf(batches);
      const from = batches.findIndex(
        (batch) => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) >= offset,
      );
      const records = from < 0 || isIgnorant ? [] : batches.slice(from, from + this.batchesPerAnswer);
      const bytes = Buffer.concat(records);
      const head = Buffer.alloc(4 + 2 + 8 + 8 + 8 + 4 + 4);
      head.writeInt32BE(partition, 0);
      head.writeInt16BE(offset > high && !isIgnorant ? 1 : 0, 4);
      head.writeBigInt64BE(BigInt(high), 6);
      head.writeBigInt64BE(BigInt(high), 14);
      parts.push(head, int32(bytes.length), bytes);
    }
    const body = Buffer.concat(parts);
    // The same bytes as readers take them.
    decodeFetch(body);
    return body;
  }
}

/** Partitions and offsets of a Fetch request of one topic (version 11); of one named twice a broker sees the last. */
function wantedBy(request: Buffer): { partition: number; offset: number }[] {
  let at = 25 + 4;
  at += 2 + request.readInt16BE(at);
  const count = request.readInt32BE(at);
  at += 4;
  const wanted = Array.from({ length: count }, (_, index) => {
    const start = at + index * 28;
    return { partition: request.readInt32BE(start), offset: Number(request.readBigInt64BE(start + 8)) };
  });
  return [...new Map(wanted.map((each) => [each.partition, each])).values()];
}

function endOf(batches: readonly Buffer[]): number {
  const last = batches.at(-1);
  return last === undefined ? 0 : Number(last.readBigInt64BE(0)) + last.readInt32BE(23) + 1;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The schema of the trades that `tradeRecord` makes. */
export const TRADE_SCHEMA = new WriterSchema(7, schemaText('trades'));
const type = avroType('trades');

/** A trade as a record. `given` over a plain one. */
export function tradeRecord(offset: number, receiveTime: number, given: Partial<Trade> = {}): MadeRecord {
  const trade: Trade = {
    exchange: 'okx',
    symbol: 'BTC-USDT',
    exchangeSymbol: 'BTC-USDT',
    producer: 'p',
    session: 's',
    exchangeTime: null,
    receiveTime,
    sequence: offset,
    conflated: 0,
    price: '1',
    quantity: '1',
    contracts: null,
    side: 'buy',
    tradeId: String(offset),
    fillCount: null,
    ...given,
  };
  return {
    offset,
    timestampMs: Math.floor(receiveTime / 1000),
    key: Buffer.from(trade.symbol),
    value: frameValue(TRADE_SCHEMA.id, type.toBuffer(trade)),
  };
}

/** Records in batches of so many. */
export function inBatches(records: readonly MadeRecord[], size: number): Buffer[] {
  const batches: Buffer[] = [];
  for (let start = 0; start < records.length; start += size)
    batches.push(encodeBatch(records.slice(start, start + size)));
  return batches;
}
