import { formatUnscaled, unscaledToBytes } from '@tickline/schemas';
import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroLong } from './avro-long.ts';
import { MAX_DECIMAL_TEXT, writeDecimalText } from './decimal-text.ts';
import { MAX_INTEGER_TEXT, writeIntegerText, writeLongText } from './integer-text.ts';
import { dayText, TimeText } from './time-text.ts';

/** What a writer leaves between marks that it must not touch. */
function textOf(room: number, write: (target: DataView, offset: number) => number): string {
  const target = new Uint8Array(room + 2).fill(0x23);
  const end = write(new DataView(target.buffer), 1);
  expect(end - 1).toBeLessThanOrEqual(room);
  expect(target[0]).toBe(0x23);
  return Buffer.from(target.subarray(1, end)).toString('latin1');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const unscaled = fc.oneof(
  fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  // Round numbers, as prices are.
  fc
    .tuple(fc.bigInt({ min: -99_999n, max: 99_999n }), fc.integer({ min: 0, max: 32 }))
    .map(([digits, zeros]) => digits * 10n ** BigInt(zeros)),
);

describe('decimals from their bytes', () => {
  it('have the text that the schemas give them, at scale 18', () => {
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 0, max: 4 }), (value, wider) => {
        // Bytes that repeat the sign in front change nothing.
        const sign = value < 0n ? 0xff : 0;
        const bytes = Uint8Array.from([
          0x77,
          ...new Array<number>(wider).fill(sign),
          ...unscaledToBytes(value),
          0x77,
        ]);
        const text = textOf(MAX_DECIMAL_TEXT, (target, at) =>
          writeDecimalText(viewOf(bytes), 1, bytes.length - 1, 18, target, at),
        );
        expect(text).toBe(formatUnscaled(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('have their own text next to a whole number of hundred-millionths, up to where those end and beyond', () => {
    const near = fc.oneof(
      fc.constantFrom(
        0n,
        1n,
        -1n,
        1n << 10n,
        1n << 32n,
        1n << 41n,
        1n << 42n,
        1n << 43n,
        1n << 52n,
        -(1n << 42n),
      ),
      fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n }),
    );
    const hundredMillionths = fc.oneof(
      fc.bigInt({ min: 0n, max: 10n ** 9n }),
      fc.bigInt({ min: 0n, max: 1n << 53n }),
      fc.bigInt({ min: (1n << 51n) - 3n, max: (1n << 51n) + 3n }),
      // Whole numbers, and one digit away from them.
      fc.bigInt({ min: 0n, max: 22_600_000n }).map((whole) => whole * 10n ** 8n - 1n),
    );
    fc.assert(
      fc.property(hundredMillionths, near, fc.integer({ min: 0, max: 16 }), (count, off, before) => {
        const value = count * 10n ** 10n + off;
        const bytes = Uint8Array.from([...new Array<number>(before).fill(0xff), ...unscaledToBytes(value)]);
        const text = textOf(MAX_DECIMAL_TEXT, (target, at) =>
          writeDecimalText(viewOf(bytes), before, bytes.length, 18, target, at),
        );
        expect(text).toBe(formatUnscaled(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('keep all digits at any other scale', () => {
    const cases: [value: bigint, scale: number, text: string][] = [
      [12345n, 2, '123.45'],
      [-5n, 3, '-0.005'],
      [1200n, 2, '12'],
      [7n, 0, '7'],
      [10n ** 38n - 1n, 38, `0.${'9'.repeat(38)}`],
    ];
    for (const [value, scale, text] of cases) {
      const bytes = unscaledToBytes(value);
      expect(
        textOf(MAX_DECIMAL_TEXT, (target, at) =>
          writeDecimalText(viewOf(bytes), 0, bytes.length, scale, target, at),
        ),
      ).toBe(text);
    }
  });

  it('of no bytes at all are zero', () => {
    expect(
      textOf(MAX_DECIMAL_TEXT, (target, at) =>
        writeDecimalText(viewOf(new Uint8Array(0)), 0, 0, 18, target, at),
      ),
    ).toBe('0');
  });
});

describe('integers', () => {
  const longs = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
    fc.bigInt({ min: -70_000n, max: 70_000n }),
    fc.integer({ min: 0, max: 62 }).map((bits) => 1n << BigInt(bits)),
    fc.integer({ min: 0, max: 18 }).map((digits) => 10n ** BigInt(digits)),
  );

  it('are exact in two halves, from Avro’s bytes to text', () => {
    const long = new AvroLong();
    const type = avsc.types.LongType.__with({
      fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
      toBuffer: (value: bigint) => {
        const buffer = Buffer.alloc(8);
        buffer.writeBigInt64LE(value);
        return buffer;
      },
      fromJSON: BigInt,
      toJSON: Number,
      isValid: (value: unknown) => typeof value === 'bigint',
      compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
    });
    fc.assert(
      fc.property(longs, (value) => {
        const bytes = Buffer.concat([Buffer.from([0xff]), type.toBuffer(value), Buffer.from([0xff])]);
        long.read(viewOf(bytes), 1);
        expect(long.value).toBe(value);
        expect(textOf(MAX_INTEGER_TEXT, (target, at) => writeLongText(long.low, long.high, target, at))).toBe(
          String(value),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('are read alike at the end of the bytes, and in front of others', () => {
    const long = new AvroLong();
    for (let length = 1; length <= 10; length++) {
      const varint = [...new Array<number>(length - 1).fill(0xff), length === 10 ? 0x01 : 0x7f];
      const bits = varint.reduce((sum, byte, at) => sum | (BigInt(byte & 0x7f) << BigInt(7 * at)), 0n);
      const wanted = BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n));
      for (const behind of [[], [0x00], new Array<number>(8).fill(0x80), new Array<number>(8).fill(0x7f)]) {
        long.read(viewOf(Uint8Array.from([0x80, ...varint, ...behind])), 1);
        expect(long.value).toBe(wanted);
      }
    }
  });

  it('within 2^53 are written as numbers print', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(textOf(MAX_INTEGER_TEXT, (target, at) => writeIntegerText(value, target, at))).toBe(
          String(value),
        );
      }),
    );
  });
});

describe('times', () => {
  it('are ISO 8601 in UTC with six digits, before 1970 too', () => {
    const time = new TimeText();
    const cases: [micros: number, text: string][] = [
      [0, '1970-01-01T00:00:00.000000Z'],
      [1_795_381_450_827_123, '2026-11-22T21:04:10.827123Z'],
      [-1, '1969-12-31T23:59:59.999999Z'],
      [86_399_999_999, '1970-01-01T23:59:59.999999Z'],
      [951_782_400_000_001, '2000-02-29T00:00:00.000001Z'],
    ];
    for (const [micros, text] of [...cases, ...cases.toReversed()]) {
      expect(textOf(40, (target, at) => time.write(micros, target, at))).toBe(text);
    }
    expect(dayText(20_779)).toBe('2026-11-22');
  });
});
