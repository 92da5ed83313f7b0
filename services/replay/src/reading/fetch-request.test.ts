import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeFetch, encodeFetch, FetchAnswerError } from './fetch-request.ts';

const require = createRequire(import.meta.url);

/** kafkajs' own encoder of the same version. */
const kafkajsRequest = require('kafkajs/src/protocol/requests/fetch/v11/request.js') as (
  body: Record<string, unknown>,
) => { encode(): Promise<{ buffer: Buffer }> };

const LIMITS = { maxWaitMs: 500, maxBytes: 4_194_304, partitionBytes: 1_048_576 };

describe('encodeFetch', () => {
  it('writes what kafkajs writes', async () => {
    const partitions = [
      { topic: 'md.trades', partition: 3, offset: 2 ** 52 },
      { topic: 'md.quotes', partition: 0, offset: 0 },
      { topic: 'md.trades', partition: 11, offset: 7 },
    ];
    const encoder = await kafkajsRequest({
      replicaId: -1,
      maxWaitTime: LIMITS.maxWaitMs,
      minBytes: 1,
      maxBytes: LIMITS.maxBytes,
      isolationLevel: 0,
      topics: ['md.trades', 'md.quotes'].map((topic) => ({
        topic,
        partitions: partitions
          .filter((each) => each.topic === topic)
          .map(({ partition, offset }) => ({
            partition,
            fetchOffset: offset,
            maxBytes: LIMITS.partitionBytes,
          })),
      })),
    }).encode();
    expect(encodeFetch(partitions, LIMITS).toString('hex')).toBe(encoder.buffer.toString('hex'));
  });
});

/** One topic with one partition that has an aborted transaction and three bytes of records. */
function answer(errorCode = 0): Buffer {
  const parts = [int32(0), int16(errorCode), int32(0), int32(1), int16(1), Buffer.from('t'), int32(1)];
  parts.push(
    int32(5),
    int16(0),
    int64(100n),
    int64(90n),
    int64(7n),
    int32(1),
    int64(1n),
    int64(80n),
    int32(-1),
  );
  parts.push(int32(3), Buffer.from('abc'));
  return Buffer.concat(parts);
}

describe('decodeFetch', () => {
  it('reads an answer', () => {
    expect(decodeFetch(answer())).toEqual([
      {
        topic: 't',
        partition: 5,
        errorCode: 0,
        highWatermark: 100,
        logStart: 7,
        records: Buffer.from('abc'),
      },
    ]);
  });

  it('refuses an answer that is cut off anywhere, an error of all of it, and offsets above 2^53', () => {
    const whole = answer();
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeFetch(whole.subarray(0, length))).toThrow(FetchAnswerError);
    }
    expect(() => decodeFetch(answer(71))).toThrow('error 71');
    const large = answer();
    large.writeBigInt64BE(2n ** 60n, 27);
    expect(() => decodeFetch(large)).toThrow('above 2^53');
  });
});

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
