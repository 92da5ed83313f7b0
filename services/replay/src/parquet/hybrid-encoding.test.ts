import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitWidthOf, encodeHybrid, hybridBound } from './hybrid-encoding.ts';

/** Reads what Encodings.md describes, by its grammar alone. */
function decode(bytes: Uint8Array, bitWidth: number): number[] {
  const values: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if ((header & 1) === 0) {
      let value = 0;
      for (let bits = 0; bits < bitWidth; bits += 8) value |= bytes[at++]! << bits;
      for (let left = header >>> 1; left > 0; left--) values.push(value);
    } else {
      const count = (header >>> 1) * 8;
      for (let index = 0; index < count; index++) {
        let value = 0;
        for (let bit = 0; bit < bitWidth; bit++) {
          const place = index * bitWidth + bit;
          value |= ((bytes[at + (place >>> 3)]! >>> (place & 7)) & 1) << bit;
        }
        values.push(value);
      }
      at += (header >>> 1) * bitWidth;
    }
  }
  return values;
}

const widths = fc.integer({ min: 1, max: 24 });
/** Runs of all lengths, so that packed groups and runs meet in every way. */
const runsOf = (bitWidth: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 2 ** bitWidth - 1 }), fc.integer({ min: 1, max: 70 })), {
      maxLength: 40,
      size: 'max',
    })
    .map((runs) => runs.flatMap(([value, length]) => new Array<number>(length).fill(value)));

describe('runs and packed bits', () => {
  it('read back equal, within the room that is promised', () => {
    fc.assert(
      fc.property(
        widths.chain((bitWidth) => fc.tuple(fc.constant(bitWidth), runsOf(bitWidth))),
        ([bitWidth, values]) => {
          const target = new Uint8Array(hybridBound(values.length, bitWidth) + 8).fill(0xee);
          const end = encodeHybrid(Int32Array.from(values), values.length, bitWidth, target, 3);
          expect(end).toBeLessThanOrEqual(3 + hybridBound(values.length, bitWidth));
          const read = decode(target.subarray(3, end), bitWidth);
          expect(read.slice(0, values.length)).toEqual(values);
          // Only the last group is filled up.
          expect(read.length - values.length).toBeLessThan(8);
        },
      ),
    );
  });

  it('are a few bytes for one long run', () => {
    const target = new Uint8Array(hybridBound(20_000, 1));
    expect(encodeHybrid(new Uint8Array(20_000).fill(1), 20_000, 1, target, 0)).toBe(4);
  });

  it('need as many bits as the largest value', () => {
    expect([0, 1, 2, 3, 255, 256].map(bitWidthOf)).toEqual([0, 1, 2, 2, 8, 9]);
  });
});
