import { BATCH_CONTROL, BATCH_LAYOUT, BATCH_LOG_APPEND_TIME, frameValue } from '@tickline/schemas';
import { describe, expect, it } from 'vitest';
import { BatchDecoder, behindBatches } from './batch-decoder.ts';
import { SchemaError } from './field-walk.ts';
import { emptyProgress } from './read-range.ts';
import type { RecordFilter, SkippedRecords } from './records.ts';
import { type BatchOptions, encodeBatch, type MadeRecord } from './testing/encode-batch.ts';
import { TRADE_SCHEMA, tradeRecord } from './testing/played-topic.ts';

const START = 1_781_337_600_000_000;

interface Seen {
  readonly offset: number;
  readonly timestampMs: number;
  readonly receiveTime: number;
  readonly key: string | null;
  readonly symbol: string;
}

/** Decodes batches from `start` up to `end`. */
async function decoded(
  batches: readonly Buffer[],
  {
    filter,
    start = 0,
    end = Number.POSITIVE_INFINITY,
    isKeyedBySymbol = true,
  }: { filter?: Partial<RecordFilter>; start?: number; end?: number; isKeyedBySymbol?: boolean } = {},
) {
  const seen: Seen[] = [];
  const skipped: SkippedRecords[] = [];
  const asked: number[] = [];
  const progress = emptyProgress([]);
  const decoder = new BatchDecoder({
    filter: filter && { symbols: [], exchanges: [], fromMicros: null, toMicros: null, ...filter },
    progress,
    visitor: {
      record(view) {
        const symbol = view.at[view.schema.indexOf('symbol')]!;
        seen.push({
          offset: view.offset,
          timestampMs: view.timestampMs,
          receiveTime: view.receiveTime,
          key: view.keyEnd < 0 ? null : view.bytes.toString('utf8', view.keyStart, view.keyEnd),
          symbol: view.bytes.toString('utf8', symbol + 1, symbol + 1 + (view.bytes[symbol]! >> 1)),
        });
      },
    },
    schemaOf: async (id) => {
      asked.push(id);
      if (id === 8) throw new SchemaError('it is a string');
      return id === TRADE_SCHEMA.id ? TRADE_SCHEMA : null;
    },
    isKeyedBySymbol: () => isKeyedBySymbol,
    skipped: (records) => skipped.push(records),
  });
  const position = { topic: 'md.trades', partition: 3, position: start, end };
  await decoder.decode(Buffer.concat(batches), position, () => undefined);
  return { seen, skipped, asked, progress, position: position.position };
}

function records(count: number, first = 0): MadeRecord[] {
  return Array.from({ length: count }, (_, index) =>
    tradeRecord(first + index, START + (first + index) * 1000),
  );
}

function batch(count: number, first = 0, options: BatchOptions = {}): Buffer {
  return encodeBatch(records(count, first), options);
}

describe('BatchDecoder', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('reads batches with compression %s', async (compression) => {
    const { seen, position, progress } = await decoded([
      batch(3, 0, { compression }),
      batch(2, 3, { compression }),
    ]);
    expect(seen.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
    expect(seen[4]).toEqual({
      offset: 4,
      timestampMs: START / 1000 + 4,
      receiveTime: START + 4000,
      key: 'BTC-USDT',
      symbol: 'BTC-USDT',
    });
    expect([position, progress.records, progress.offsetsDone]).toEqual([5, 5, 5]);
  });

  it('begins and ends within a batch, and leaves a batch that is cut off for the next answer', async () => {
    const { seen, position } = await decoded([batch(5), batch(5, 5)], { start: 3, end: 7 });
    expect(seen.map(({ offset }) => offset)).toEqual([3, 4, 5, 6]);
    expect(position).toBe(7);
    const cut = batch(5, 5);
    const partly = await decoded([batch(5), cut.subarray(0, cut.length - 1)]);
    expect([partly.seen.length, partly.position]).toEqual([5, 5]);
    expect(behindBatches(Buffer.concat([batch(5), cut.subarray(0, 70)]))).toBe(5);
    expect(behindBatches(cut.subarray(0, 40))).toBeNull();
  });

  it('goes over what compaction took out, marks of transactions and null values', async () => {
    const gaps = encodeBatch([records(1, 2)[0]!, records(1, 7)[0]!], { baseOffset: 0, lastOffset: 9 });
    const mark = encodeBatch([{ offset: 10, timestampMs: 0, key: Buffer.alloc(4), value: Buffer.alloc(6) }], {
      attributes: BATCH_CONTROL,
    });
    const deletion = encodeBatch([{ ...records(1, 11)[0]!, value: null }]);
    const { seen, skipped, position, progress } = await decoded([gaps, mark, deletion]);
    expect(seen.map(({ offset }) => offset)).toEqual([2, 7]);
    expect([skipped, position, progress.filtered]).toEqual([[], 12, 1]);
  });

  it('gives the broker’s time for all records of a batch with LogAppendTime', async () => {
    const { seen } = await decoded([batch(3, 0, { attributes: BATCH_LOG_APPEND_TIME })]);
    expect(seen.map(({ timestampMs }) => timestampMs)).toEqual(new Array(3).fill(START / 1000 + 2));
    expect(seen[0]!.receiveTime).toBe(START);
  });

  it('skips a batch with a wrong checksum and reads on behind it', async () => {
    const broken = batch(4, 2);
    broken[broken.length - 3]! ^= 1;
    const { seen, skipped, position } = await decoded([batch(2), broken, batch(2, 6)]);
    expect(seen.map(({ offset }) => offset)).toEqual([0, 1, 6, 7]);
    expect(position).toBe(8);
    expect(skipped).toEqual([
      {
        reason: 'corrupted batch',
        topic: 'md.trades',
        partition: 3,
        offset: 2,
        count: 4,
        detail: 'the checksum of the batch is wrong',
      },
    ]);
  });

  it('skips batches of another format, with a broken compression, or of an unknown codec', async () => {
    const old = batch(1);
    old[BATCH_LAYOUT.magic] = 1;
    const torn = batch(1, 1, { compression: 'zstd', compress: () => Buffer.from('no zstd') });
    const strange = batch(1, 2, { attributes: 7 });
    const { seen, skipped } = await decoded([old, torn, strange, batch(1, 3)]);
    expect(seen.map(({ offset }) => offset)).toEqual([3]);
    expect(skipped.map(({ offset, detail }) => `${offset}: ${detail}`)).toEqual([
      '0: the batch has magic 1, not 2',
      expect.stringMatching(/^1: the compression can't be undone/),
      "2: the batch is compressed by codec 7, which is none of Kafka's",
    ]);
  });

  it('skips records that are no Avro, do not fit their schema or name an unknown one', async () => {
    const made = records(8);
    const value = made[0]!.value!;
    const broken = [
      made[0]!,
      { ...made[1]!, value: Buffer.from('plain') },
      { ...made[2]!, value: value.subarray(0, value.length - 1) },
      { ...made[3]!, value: frameValue(99, value.subarray(5)) },
      { ...made[4]!, value: Buffer.concat([value, Buffer.alloc(1)]) },
      { ...made[5]!, value: frameValue(8, value.subarray(5)) },
      { ...made[6]!, value: frameValue(8, value.subarray(5)) },
      made[7]!,
    ];
    const { seen, skipped, asked, progress } = await decoded([encodeBatch(broken)]);
    expect(seen.map(({ offset }) => offset)).toEqual([0, 7]);
    expect(skipped.map(({ reason, offset, detail }) => `${offset} ${reason}: ${detail}`)).toEqual([
      '1 corrupted record: the value is not Confluent-framed Avro',
      '2 corrupted record: the value does not fit its schema 7',
      '3 unknown schema: schema 99 is not in the registry',
      '4 corrupted record: the value does not fit its schema 7',
      '5 unknown schema: schema 8 is none of a record: it is a string',
      '6 unknown schema: schema 8 is none of a record: it is a string',
    ]);
    expect(asked).toEqual([7, 99, 8]);
    expect(progress).toMatchObject({ records: 2, skipped: 6, filtered: 0 });
  });

  it('filters by key before the value is read, else by the field', async () => {
    const made = [
      tradeRecord(0, START, { symbol: 'BTC-USDT' }),
      tradeRecord(1, START, { symbol: 'ETH-USDT' }),
      { ...tradeRecord(2, START, { symbol: 'ETH-USDT' }), value: Buffer.from('not read') },
      { ...tradeRecord(3, START, { symbol: 'BTC-USDC' }), key: null },
    ];
    const saw: string[] = [];
    const filter = {
      symbols: ['BTC-*'],
      sawSymbol: (symbol: string, is: boolean) => saw.push(`${symbol} ${is}`),
    };
    const byKey = await decoded([encodeBatch(made)], { filter });
    expect(byKey.seen.map(({ offset, key }) => [offset, key])).toEqual([
      [0, 'BTC-USDT'],
      [3, null],
    ]);
    expect(byKey.skipped).toEqual([]);
    expect(saw).toEqual(['BTC-USDT true', 'ETH-USDT false', 'BTC-USDC true']);
    const byField = await decoded([encodeBatch(made)], { filter, isKeyedBySymbol: false });
    expect(byField.seen.map(({ symbol }) => symbol)).toEqual(['BTC-USDT', 'BTC-USDC']);
    expect(byField.skipped.map(({ offset }) => offset)).toEqual([2]);
  });

  it('filters by exchange and by receive time to the microsecond', async () => {
    const made = [
      tradeRecord(0, START, { exchange: 'okx' }),
      tradeRecord(1, START + 1, { exchange: 'kraken' }),
      tradeRecord(2, START + 2, { exchange: 'okx' }),
      tradeRecord(3, START + 3, { exchange: 'okx' }),
    ];
    const { seen, progress } = await decoded([encodeBatch(made)], {
      filter: { exchanges: ['okx', 'binance'], fromMicros: START + 1, toMicros: START + 3 },
    });
    expect(seen.map(({ offset }) => offset)).toEqual([2]);
    expect(progress).toMatchObject({ records: 1, filtered: 3 });
  });
});
