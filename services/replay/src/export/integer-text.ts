import { FOUR_DIGITS } from './four-digits.ts';

const MINUS = 0x2d;
/** Sign and 19 digits. */
export const MAX_INTEGER_TEXT = 20;
/** Eight digits at once, so that the rest is 32-bit arithmetic. */
const STEP = 100_000_000;
const HALF_STEP = 10_000;
const LIMB = 0x100000000;

/**
 * Writes a 64-bit integer in two halves as decimal text; `target` has MAX_INTEGER_TEXT bytes of room, and all of
 * it may be written to. Returns the offset behind.
 */
export function writeLongText(low: number, high: number, target: DataView, offset: number): number {
  // Within ±2^52 a number is exact.
  if (high >= -0x100000 && high < 0x100000)
    return writeIntegerText(high * LIMB + (low >>> 0), target, offset);
  const text = ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
  return writeAscii(text, target, offset);
}

/** As `writeLongText`, for a whole number within ±2^53. */
export function writeIntegerText(value: number, target: DataView, offset: number): number {
  let at = offset;
  let rest = value;
  if (rest < 0) {
    target.setUint8(at++, MINUS);
    rest = -rest;
  }
  if (rest < STEP) return writeUpTo8(rest | 0, target, at);
  const high = Math.floor(rest / STEP);
  at = high < STEP ? writeUpTo8(high | 0, target, at) : writeIntegerText(high, target, at);
  return write8((rest - high * STEP) | 0, target, at);
}

/** Eight digits, zeros in front. */
export function write8(value: number, target: DataView, offset: number): number {
  const high = (value / HALF_STEP) | 0;
  target.setInt32(offset, FOUR_DIGITS[high]!, true);
  target.setInt32(offset + 4, FOUR_DIGITS[value - high * HALF_STEP]!, true);
  return offset + 8;
}

/** A text of ASCII. */
export function writeAscii(text: string, target: DataView, offset: number): number {
  for (let at = 0; at < text.length; at++) target.setUint8(offset + at, text.charCodeAt(at));
  return offset + text.length;
}

/** Without zeros in front. */
function writeUpTo8(value: number, target: DataView, offset: number): number {
  if (value < HALF_STEP) return writeUpTo4(value, target, offset);
  const high = (value / HALF_STEP) | 0;
  const at = writeUpTo4(high, target, offset);
  target.setInt32(at, FOUR_DIGITS[value - high * HALF_STEP]!, true);
  return at + 4;
}

/** Without zeros in front; four bytes are written in any case. */
function writeUpTo4(value: number, target: DataView, offset: number): number {
  const digits = value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  target.setInt32(offset, FOUR_DIGITS[value]! >>> (8 * (4 - digits)), true);
  return offset + digits;
}
