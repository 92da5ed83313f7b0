import { describe, expect, it } from 'vitest';
import { NO_LEADER } from './bridge.ts';
import { decodeMetadata, encodeMetadata } from './metadata-request.ts';

/** Bytes of Kafka's plain types: strings with their length, numbers as [size, value]. */
function bytes(...parts: readonly (string | readonly [1 | 2 | 4, number])[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      const [size, value] = typeof part === 'string' ? [2, part.length] : part;
      const number = Buffer.alloc(size);
      number.writeIntBE(value, 0, size);
      return typeof part === 'string' ? Buffer.concat([number, Buffer.from(part)]) : number;
    }),
  );
}

/** Partition 1 before 0, the latter without a leader. */
function partitions(version: number): Buffer {
  const one = (index: number, leader: number) =>
    bytes(
      ...([
        [2, 0],
        [4, index],
        [4, leader],
      ] as const),
      ...(version >= 7 ? ([[4, 5]] as const) : []),
      ...([
        [4, 2],
        [4, 1],
        [4, 2],
        [4, 1],
        [4, 1],
        [4, 0],
      ] as const),
    );
  return Buffer.concat([bytes([4, 2]), one(1, 2), one(0, -1)]);
}

function answer(version: number, rights: number): Buffer {
  return Buffer.concat([
    bytes([4, 0], [4, 1], [4, 2], 'kafka-2', [4, 9092], [2, -1], 'cluster', [4, 2]),
    bytes([4, 1], [2, 0], 'md.trades', [1, 0]),
    partitions(version),
    version >= 8 ? bytes([4, rights], [4, -0x8000_0000]) : Buffer.alloc(0),
  ]);
}

describe('encodeMetadata', () => {
  it('asks for rights from version 8 on, and never makes a topic', () => {
    expect(encodeMetadata(['a', 'bc'], 6)).toEqual(bytes([4, 2], 'a', 'bc', [1, 0]));
    expect(encodeMetadata(['a'], 8)).toEqual(bytes([4, 1], 'a', [1, 0], [1, 0], [1, 1]));
  });
});

describe('decodeMetadata', () => {
  it.each([
    [6, 0, true],
    [7, 0, true],
    [8, 0b11000, true],
    [8, 0b10_0000_1000, false],
    [8, -0x8000_0000, true],
  ])('reads version %i, rights %i', (version, rights, isWritable) => {
    const { brokers, topics } = decodeMetadata(answer(version, rights), version);
    expect([...brokers]).toEqual([[2, 'kafka-2:9092']]);
    expect([...topics]).toEqual([
      [
        'md.trades',
        {
          errorCode: 0,
          partitions: [
            { partition: 0, leader: NO_LEADER },
            { partition: 1, leader: 2 },
          ],
          isWritable,
        },
      ],
    ]);
  });

  it('refuses an answer that is cut short', () => {
    expect(() => decodeMetadata(answer(8, 0).subarray(0, 60), 8)).toThrow(RangeError);
  });

  it('refuses at once an array that counts more elements than bytes', () => {
    const whole = answer(8, 0);
    // The replicas of the first partition, which are skipped: nothing would be read beyond the end.
    const replicas = whole.indexOf('md.trades') + 'md.trades'.length + 1 + 4 + 2 + 4 + 4 + 4;
    whole.writeInt32BE(0x7fff_ffff, replicas);
    expect(() => decodeMetadata(whole, 8)).toThrow(/2147483647/);
  });
});
