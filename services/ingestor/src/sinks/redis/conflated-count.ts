import type { RedisFormat } from './options.ts';

/** A conflated count takes up to so many bytes more than the one byte of a zero. */
export const CONFLATED_GROWTH = 15;

const ZERO = 0x30;

/**
 * Copies an encoded tick whose conflated count is zero, with another count in its place: `conflatedAt` is the
 * zero's offset behind `start`. Returns the offset behind the copy.
 */
export function copyWithCount(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  length: number,
  conflatedAt: number,
  conflated: number,
  format: RedisFormat,
): number {
  target.set(source.subarray(0, conflatedAt), offset);
  const end =
    format === 'json'
      ? writeDigits(target, offset + conflatedAt, conflated)
      : writeZigZag(target, offset + conflatedAt, conflated);
  target.set(source.subarray(conflatedAt + 1, length), end);
  return end + length - conflatedAt - 1;
}

/** A whole number, 0 or more, in decimal digits. Returns the offset behind. */
export function writeDigits(target: Uint8Array, offset: number, value: number): number {
  const end = offset + digitsOf(value);
  let rest = value;
  for (let at = end - 1; at >= offset; at--) {
    const next = Math.floor(rest / 10);
    target[at] = ZERO + (rest - next * 10);
    rest = next;
  }
  return end;
}

/** How many decimal digits a whole number has. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

/** An Avro long, 0 or more (Avro specification, "Binary encoding"). */
function writeZigZag(target: Uint8Array, offset: number, value: number): number {
  let rest = value * 2;
  let at = offset;
  while (rest > 0x7f) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}
