import { describe, expect, it } from 'vitest';
import { avroType, parseAvroSchema } from './avro-types.ts';
import { frameValue, WireFormatError } from './confluent-format.ts';
import type { Status, Trade } from './generated/records.ts';
import { RecordReader } from './record-reader.ts';
import { schemaText } from './schema-text.ts';

const status: Status = {
  exchange: 'okx',
  symbol: 'BTC-USDT',
  exchangeSymbol: 'BTC-USDT',
  channel: 'trades',
  producer: 'p',
  session: null,
  time: 1_781_337_600_455_123,
  state: 'gap',
  reason: 'connection lost',
  firstId: '5',
  lastId: '9',
  firstTime: 1_781_337_600_000_000,
  lastTime: null,
  count: 5,
};

const trade: Trade = {
  exchange: 'okx',
  symbol: 'BTC-USDT',
  exchangeSymbol: 'BTC-USDT',
  producer: 'p',
  session: 's',
  exchangeTime: 1_781_337_600_455_123,
  receiveTime: 1_781_337_600_456_000,
  sequence: 7,
  conflated: 0,
  price: '64250.000000000000000001',
  quantity: '0',
  contracts: '99999999999999999999.999999999999999999',
  side: 'sell',
  tradeId: '690123456',
  fillCount: 3,
};

describe('RecordReader', () => {
  it('reads decimals, enums and nulls as they were written', async () => {
    const reader = new RecordReader('trades', async () => schemaText('trades'));
    for (const each of [trade, { ...trade, exchangeTime: null, contracts: null, fillCount: null }]) {
      expect(await reader.read(frameValue(1, avroType('trades').toBuffer(each)))).toEqual(each);
    }
  });

  it('reads what avsc wrote, asking for each schema once', async () => {
    let asked = 0;
    const reader = new RecordReader('status', async (id) => {
      asked++;
      expect(id).toBe(4_000_000_001);
      return schemaText('status');
    });
    const value = frameValue(4_000_000_001, avroType('status').toBuffer(status));
    expect(await reader.read(value)).toEqual(status);
    expect(await reader.read(value)).toEqual(status);
    expect(asked).toBe(1);
  });

  it('reads a value of an older writer: fields that it lacks take their defaults', async () => {
    const older = JSON.parse(schemaText('status')) as { fields: { name: string }[] };
    older.fields = older.fields.filter((field) => field.name !== 'count' && field.name !== 'reason');
    const { count: _, reason: __, ...rest } = status;
    const body = parseAvroSchema(JSON.stringify(older)).toBuffer(rest);
    const reader = new RecordReader('status', async () => JSON.stringify(older));
    expect(await reader.read(frameValue(1, body))).toEqual({ ...status, count: null, reason: '' });
  });

  it('refuses what is no record, and asks again after a failed look-up', async () => {
    let fail = true;
    const reader = new RecordReader('status', async () => {
      if (fail) throw new Error('registry is away');
      return schemaText('status');
    });
    const body = avroType('status').toBuffer(status);
    await expect(reader.read(frameValue(1, body))).rejects.toThrow('registry is away');
    fail = false;
    expect(await reader.read(frameValue(1, body))).toEqual(status);
    await expect(reader.read(Buffer.from('plain text'))).rejects.toThrow(WireFormatError);
    await expect(reader.read(frameValue(1, body.subarray(0, -1)))).rejects.toThrow(WireFormatError);
    await expect(reader.read(frameValue(1, Buffer.concat([body, Buffer.from([0])])))).rejects.toThrow(
      WireFormatError,
    );
    await expect(reader.read(Buffer.alloc(0))).rejects.toThrow(WireFormatError);
  });
});
