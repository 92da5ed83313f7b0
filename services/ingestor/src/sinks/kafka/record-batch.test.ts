import { createRequire } from 'node:module';
import { zstdDecompressSync } from 'node:zlib';
import {
  RecordBatchError,
  RecordCursor,
  readBatchHeader,
  signedVarintBytes,
  writeSignedVarint,
} from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchMemory } from './batch-memory.ts';
import { encodeHeaders, encodeKeyField, NO_STREAM, RecordBatch, Slab } from './record-batch.ts';
import { readBatch } from './testing/read-batch.ts';

const require = createRequire(import.meta.url);
const identity = { producerId: 2n ** 40n + 7n, producerEpoch: 3 };

interface Given {
  readonly key: string;
  readonly value: Uint8Array;
  readonly timestamp: number;
  readonly headers: Record<string, string> | null;
}

const given: fc.Arbitrary<Given> = fc.record({
  key: fc.string({ maxLength: 80 }),
  value: fc.uint8Array({ maxLength: 400 }),
  timestamp: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_001_000 }),
    fc.integer({ min: 0, max: 4_000_000_000_000 }),
  ),
  headers: fc.oneof(
    fc.constant(null),
    fc.dictionary(
      fc.string({ maxLength: 20 }).map((name) => `h${name}`),
      fc.string({ maxLength: 200 }),
      { maxKeys: 5 },
    ),
  ),
});

function build(records: readonly Given[], slabBytes = 1 << 20): RecordBatch {
  const batch = new RecordBatch(new Slab(slabBytes));
  records.forEach(({ key, value, timestamp, headers }, index) => {
    const keyField = encodeKeyField(Buffer.from(key));
    const appended =
      headers === null
        ? batch.append(keyField, value, 0, value.length, timestamp, index, index * 3)
        : batch.appendWithHeaders(keyField, value, encodeHeaders(headers), timestamp, index, index * 3);
    expect(appended).toBe(true);
  });
  return batch;
}

function plain({ key, value, timestamp, headers }: Given) {
  return { key, value: Buffer.from(value), timestamp, headers: { ...headers } };
}

describe('signed varints', () => {
  const value = fc.maxSafeInteger().map((n) => Math.trunc(n / 2));

  it('are what kafkajs and BigInt arithmetic make of them', () => {
    const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => {
      writeVarLong(value: string): { buffer: Buffer };
    };
    fc.assert(
      fc.property(fc.oneof(value, fc.integer(), fc.integer({ min: -200, max: 200 })), (n) => {
        const target = new Uint8Array(12);
        const end = writeSignedVarint(target, 0, n);
        expect(signedVarintBytes(n)).toBe(end);
        expect(Buffer.from(target.subarray(0, end))).toEqual(new Encoder().writeVarLong(String(n)).buffer);
      }),
    );
  });

  it.each([0, -1, 63, 64, -64, -65, 8191, 8192, 2 ** 30, -(2 ** 30), 2 ** 31, 2 ** 51, -(2 ** 51)])(
    'hold %d',
    (n) => {
      const target = new Uint8Array(12);
      const end = writeSignedVarint(target, 0, n);
      let raw = 0n;
      for (let at = 0; at < end; at++) raw |= BigInt(target[at]! & 0x7f) << BigInt(7 * at);
      expect(Number((raw >> 1n) ^ -(raw & 1n))).toBe(n);
    },
  );
});

describe('RecordBatch', () => {
  it('is read back equal by an independent reader', () => {
    fc.assert(
      fc.property(
        fc.array(given, { minLength: 1, maxLength: 60 }),
        fc.nat(2 ** 31 - 1),
        (records, baseSequence) => {
          const batch = build(records);
          batch.seal(identity, baseSequence);
          const read = readBatch(batch.bytes);
          expect(read).toMatchObject({
            baseOffset: 0n,
            attributes: 0,
            lastOffsetDelta: records.length - 1,
            baseTimestamp: BigInt(records[0]!.timestamp),
            maxTimestamp: BigInt(Math.max(...records.map(({ timestamp }) => timestamp))),
            producerId: identity.producerId,
            producerEpoch: 3,
            baseSequence,
          });
          expect(read.records).toEqual(records.map((each, offsetDelta) => ({ offsetDelta, ...plain(each) })));
          for (let n = 0; n < records.length; n++) {
            expect([batch.streamOf(n), batch.sequenceOf(n)]).toEqual([n, n * 3]);
          }
        },
      ),
    );
  });

  it('is read back equal by kafkajs', async () => {
    const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => unknown;
    const decode = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
      decoder: unknown,
    ) => Promise<{
      producerId: string;
      firstSequence: number;
      records: { key: Buffer; value: Buffer; timestamp: string; headers: Record<string, Buffer> }[];
    }>;
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 30 }), async (records) => {
        const batch = build(records);
        batch.seal(identity, 12);
        const read = await decode(new Decoder(batch.bytes));
        expect([read.producerId, read.firstSequence]).toEqual([String(identity.producerId), 12]);
        expect(
          read.records.map((each) => ({
            key: each.key.toString(),
            value: each.value,
            timestamp: Number(each.timestamp),
            headers: Object.fromEntries(
              Object.entries(each.headers).map(([name, text]) => [name, String(text)]),
            ),
          })),
        ).toEqual(records.map(plain));
      }),
      { numRuns: 50 },
    );
  });

  it('is read by the shared cursor', () => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 30 }), (records) => {
        const batch = build(records);
        batch.seal(identity, 0);
        const { bytes } = batch;
        const header = readBatchHeader(bytes);
        expect([header.byteLength, header.recordCount]).toEqual([bytes.length, records.length]);
        const cursor = new RecordCursor(bytes, 61, bytes.length);
        for (const record of records) {
          expect(cursor.next()).toBe(true);
          expect({
            key: bytes.toString('utf8', cursor.keyStart, cursor.keyEnd),
            value: Buffer.from(bytes.subarray(cursor.valueStart, cursor.valueEnd)),
            timestamp: header.baseTimestamp + cursor.timestampDelta,
            headers: Object.fromEntries(cursor.headers().map(([name, text]) => [name, String(text)])),
          }).toEqual(plain(record));
        }
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  it('damaged, is refused by the shared cursor or read to its end, and never read beyond', () => {
    fc.assert(
      fc.property(
        fc.array(given, { minLength: 1, maxLength: 10 }),
        fc.array(fc.record({ at: fc.nat(), to: fc.nat(255) }), { minLength: 1, maxLength: 4 }),
        fc.nat(20),
        (records, damages, cut) => {
          const batch = build(records);
          batch.seal(identity, 0);
          const bytes = Buffer.from(batch.bytes.subarray(0, Math.max(61, batch.bytes.length - cut)));
          for (const { at, to } of damages) bytes[61 + (at % Math.max(1, bytes.length - 61))] = to;
          const cursor = new RecordCursor(bytes, 61, bytes.length);
          try {
            while (cursor.next()) {
              expect(cursor.end).toBeLessThanOrEqual(bytes.length);
              expect(cursor.valueEnd).toBeLessThanOrEqual(cursor.end);
              cursor.headers();
            }
          } catch (error) {
            expect(error).toBeInstanceOf(RecordBatchError);
          }
        },
      ),
    );
  });

  it('keeps its records when it is sealed for another identity, and its bytes when it is not', () => {
    const batch = build([{ key: 'a', value: Buffer.from('x'), timestamp: 5, headers: null }]);
    batch.seal(identity, 9);
    const first = Buffer.from(batch.bytes);
    batch.seal({ producerId: 8n, producerEpoch: 0 }, 0);
    const other = readBatch(batch.bytes);
    expect(other).toMatchObject({ producerId: 8n, producerEpoch: 0, baseSequence: 0 });
    expect(other.records).toEqual(readBatch(first).records);
    batch.seal(identity, 9);
    expect(Buffer.from(batch.bytes)).toEqual(first);
  });

  it('takes no record that might not fit, and is unharmed by the attempt', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 200 }), (sizes) => {
        const batch = new RecordBatch(new Slab(4096));
        const keyField = encodeKeyField(Buffer.from('BTC-USDT'));
        let taken = 0;
        for (const size of sizes) {
          const value = Buffer.alloc(size, taken);
          if (batch.append(keyField, value, 0, size, 1000, 1, taken)) taken++;
          expect(batch.usedBytes).toBeLessThanOrEqual(4096);
        }
        batch.seal(identity, 0);
        const read = readBatch(batch.bytes).records;
        expect(read.length).toBe(taken);
        for (let n = 0; n < taken; n++) expect(batch.sequenceOf(n)).toBe(n);
      }),
    );
  });

  it('keeps records and notes when it moves to a larger slab', () => {
    const records = Array.from({ length: 20 }, (_, n) => ({
      key: `k${n}`,
      value: Buffer.alloc(100, n),
      timestamp: 1000 + n,
      headers: null,
    }));
    const batch = build(records, 4096);
    batch.moveTo(new Slab(8192));
    batch.append(encodeKeyField(Buffer.from('z')), Buffer.from('zz'), 0, 2, 999, 77, 2 ** 40 + 5);
    batch.seal(identity, 0);
    expect(readBatch(batch.bytes).records.map(({ key }) => key)).toEqual([
      ...records.map(({ key }) => key),
      'z',
    ]);
    expect([batch.streamOf(19), batch.sequenceOf(19)]).toEqual([19, 57]);
    expect([batch.streamOf(20), batch.sequenceOf(20)]).toEqual([77, 2 ** 40 + 5]);
  });

  it('splices the conflated count into the value', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        fc.uint8Array({ maxLength: 50 }),
        fc.nat(2 ** 31 - 1),
        (before, after, conflated) => {
          const batch = new RecordBatch(new Slab(4096));
          const source = Buffer.concat([before, Buffer.from([0]), after]);
          batch.appendConflated(
            encodeKeyField(Buffer.from('k')),
            source,
            source.length,
            1,
            4,
            conflated + 10,
            before.length,
            conflated,
          );
          batch.seal(identity, 0);
          const count = new Uint8Array(8);
          const avro = count.subarray(0, writeSignedVarint(count, 0, conflated));
          expect(readBatch(batch.bytes).records[0]!.value).toEqual(Buffer.concat([before, avro, after]));
          expect(batch.conflatedOf(0)).toBe(conflated);
        },
      ),
    );
  });

  it('splits into parts that together are the whole', () => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 2, maxLength: 40 }), fc.nat(), (records, cut) => {
        const whole = build(records);
        const middle = 1 + (cut % (records.length - 1));
        const memory = new BatchMemory(1 << 24, 1 << 20, { full() {}, drained() {}, relieved() {} });
        const parts = [
          [0, middle - 1],
          [middle, records.length - 1],
        ].map(([first, last]) => {
          const part = memory.take(memory.slabBytes(whole.usedBytes + 200));
          part.appendFrom(whole, first!, last!);
          part.seal(identity, first!);
          return part;
        });
        const read = parts.flatMap((part) => readBatch(part.bytes).records);
        expect(read.map(({ offsetDelta: _, ...record }) => record)).toEqual(records.map(plain));
        expect(parts[1]!.streamOf(0)).toBe(middle);
        expect(parts[1]!.sequenceOf(0)).toBe(middle * 3);
      }),
    );
  });

  it('compresses its records and only them', async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({
      key: 'BTC-USDT',
      value: Buffer.alloc(100, n),
      timestamp: 1000 + n,
      headers: null,
    }));
    const batch = build(records);
    batch.seal(identity, 4);
    const uncompressed = Buffer.from(batch.bytes);
    await batch.compress();
    batch.seal(identity, 4);
    const header = readBatchHeader(batch.bytes);
    expect(header).toMatchObject({
      attributes: 4,
      recordCount: 50,
      baseSequence: 4,
      byteLength: batch.bytes.length,
    });
    expect(batch.bytes.length).toBeLessThan(uncompressed.length / 4);
    expect(zstdDecompressSync(batch.bytes.subarray(61))).toEqual(uncompressed.subarray(61));
  });

  it('says which records belong to no stream', () => {
    const batch = new RecordBatch(new Slab(4096));
    batch.appendWithHeaders(
      encodeKeyField(Buffer.from('k')),
      Buffer.from('{'),
      encodeHeaders({}),
      1,
      NO_STREAM,
      0,
    );
    expect(batch.streamOf(0)).toBe(NO_STREAM);
  });
});
