/**
 * Decimals as plain text, straight from their bytes: no exponent, no trailing zeros, as `Decimal.writeText` of the
 * schemas writes them. Scale 18, the contract's, has ways of its own; other scales go by BigInt.
 */

import { FOUR_DIGITS } from './four-digits.ts';
import { write8, writeAscii, writeIntegerText } from './integer-text.ts';

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

/** Sign, 39 digits, point, and a zero before it. */
export const MAX_DECIMAL_TEXT = 42;
const CONTRACT_SCALE = 18;
const LIMB = 0x100000000;
/** Six digits at once: a remainder below 10^6 beside a limb of 32 bits stays below 2^52, exact in a number. */
const STEP = 1_000_000;
const STEP_DIGITS = 6;
const LIMBS = 4;

/** A hundred-millionth at scale 18: 10^10 = 2^10 · 5^10. */
const HUNDRED_MILLIONTH = 10 ** 10;
const FIVE_TO_THE_10TH = 5 ** 10;
const MOST_HUNDRED_MILLIONTHS = 2 ** 51;
const MOST_BYTES = 11;
const THREE_WORDS = 12;
/** Of one. */
const HUNDRED_MILLIONTHS = 100_000_000;

/** Used within one call. */
const limbs = new Float64Array(LIMBS);

/**
 * Writes the unscaled integer `bytes[start, end)` (big-endian two's complement; no bytes are zero) at its scale.
 * `target` has MAX_DECIMAL_TEXT bytes of room, and all of it may be written to. Returns the offset behind.
 */
export function writeDecimalText(
  bytes: DataView,
  start: number,
  end: number,
  scale: number,
  target: DataView,
  offset: number,
): number {
  if (scale !== CONTRACT_SCALE) return writeAnyScale(bytes, start, end, scale, target, offset);
  const hundredMillionths = inHundredMillionths(bytes, start, end);
  return hundredMillionths < 0
    ? writeAllDigits(bytes, start, end, target, offset)
    : writeHundredMillionths(hundredMillionths, target, offset);
}

/**
 * Prices and quantities rarely have more than eight decimals: how many hundred-millionths the value is, or -1 when
 * it is negative, none exactly, or very large.
 *
 * A division of doubles gives a quotient q below 2^51 that is off by at most one and a half, so that the value and
 * q·10^10 differ by less than 2^42. They are equal if they are so modulo 2^42: if the value's ten lowest bits are zero
 * and the 32 above them are those of q·5^10.
 */
function inHundredMillionths(bytes: DataView, start: number, end: number): number {
  const length = end - start;
  if (length === 0 || length > MOST_BYTES || end < THREE_WORDS || bytes.getInt8(start) < 0) return -1;
  let high = 0;
  let middle = 0;
  let low = bytes.getInt32(end - 4);
  if (length > 8) {
    high = bytes.getInt32(end - 12) & lowerBytes(length - 8);
    middle = bytes.getInt32(end - 8);
  } else if (length > 4) {
    middle = length === 8 ? bytes.getInt32(end - 8) : bytes.getInt32(end - 8) & lowerBytes(length - 4);
  } else if (length < 4) {
    low &= lowerBytes(length);
  }
  if ((low & 0x3ff) !== 0) return -1;
  const value = (high * LIMB + (middle >>> 0)) * LIMB + (low >>> 0);
  const quotient = Math.floor(value / HUNDRED_MILLIONTH + 0.5);
  if (quotient >= MOST_HUNDRED_MILLIONTHS) return -1;
  const isExact = Math.imul(quotient, FIVE_TO_THE_10TH) === ((low >>> 10) | (middle << 22));
  return isExact ? quotient : -1;
}

/** The lowest bytes of a word, up to three. */
function lowerBytes(count: number): number {
  return (1 << (8 * count)) - 1;
}

function writeHundredMillionths(value: number, target: DataView, offset: number): number {
  const whole = Math.floor(value / HUNDRED_MILLIONTHS);
  const fraction = value - whole * HUNDRED_MILLIONTHS;
  const at = writeIntegerText(whole, target, offset);
  if (fraction === 0) return at;
  target.setUint8(at, POINT);
  return withoutZeros(target, write8(fraction, target, at + 1));
}

/** Any value of scale 18. */
function writeAllDigits(
  bytes: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): number {
  let at = offset;
  const negative = start < end && bytes.getInt8(start) < 0;
  let used = loadMagnitude(bytes, start, end, negative);
  if (negative) target.setUint8(at++, MINUS);
  const third = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  const second = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  const first = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  at = writeInteger(used, target, at);
  if (first === 0 && second === 0 && third === 0) return at;
  target.setUint8(at++, POINT);
  at = writeStep(first, target, at);
  if (second !== 0 || third !== 0) at = writeStep(second, target, at);
  if (third !== 0) at = writeStep(third, target, at);
  return withoutZeros(target, at);
}

/** Where the zeros begin that end at `end`; there is a point or another digit in front of them. */
function withoutZeros(target: DataView, end: number): number {
  let at = end;
  while (target.getUint8(at - 1) === ZERO) at--;
  return at;
}

/** Fills the limbs, least significant first; returns how many are in use. */
function loadMagnitude(bytes: DataView, start: number, end: number, negative: boolean): number {
  let used = 0;
  let carry = negative ? 1 : 0;
  const flip = negative ? 0xff : 0;
  for (let at = end; at > start; at -= 4) {
    const b0 = bytes.getUint8(at - 1) ^ flip;
    const b1 = at - 2 >= start ? bytes.getUint8(at - 2) ^ flip : 0;
    const b2 = at - 3 >= start ? bytes.getUint8(at - 3) ^ flip : 0;
    const b3 = at - 4 >= start ? bytes.getUint8(at - 4) ^ flip : 0;
    let limb = ((b0 | (b1 << 8) | (b2 << 16) | (b3 << 24)) >>> 0) + carry;
    carry = 0;
    if (limb === LIMB) {
      limb = 0;
      carry = 1;
    }
    // Bytes that only repeat the sign may make a value longer than its four limbs.
    if (used < LIMBS) limbs[used++] = limb;
  }
  if (carry === 1 && used < LIMBS) limbs[used++] = 1;
  while (used > 0 && limbs[used - 1] === 0) used--;
  return used;
}

/** Divides the limbs by a step of digits; returns the remainder. */
function divide(used: number): number {
  let remainder = 0;
  for (let at = used - 1; at >= 0; at--) {
    const value = remainder * LIMB + limbs[at]!;
    const quotient = Math.floor(value / STEP);
    remainder = value - quotient * STEP;
    limbs[at] = quotient;
  }
  return remainder;
}

/** The limbs as an integer without leading zeros. */
function writeInteger(used: number, target: DataView, offset: number): number {
  if (used <= 1) return writeIntegerText(used === 0 ? 0 : limbs[0]!, target, offset);
  const low = divide(used);
  const left = limbs[used - 1] === 0 ? used - 1 : used;
  return writeStep(low, target, writeInteger(left, target, offset));
}

/** Six digits, zeros in front; one byte behind them is written too. */
function writeStep(value: number, target: DataView, offset: number): number {
  const high = (value / 1000) | 0;
  target.setInt32(offset, FOUR_DIGITS[high]! >>> 8, true);
  target.setInt32(offset + 3, FOUR_DIGITS[value - high * 1000]! >>> 8, true);
  return offset + STEP_DIGITS;
}

function writeAnyScale(
  bytes: DataView,
  start: number,
  end: number,
  scale: number,
  target: DataView,
  offset: number,
): number {
  let magnitude = 0n;
  for (let at = start; at < end; at++) magnitude = (magnitude << 8n) | BigInt(bytes.getUint8(at));
  magnitude = BigInt.asIntN((end - start) * 8, magnitude);
  const sign = magnitude < 0n ? '-' : '';
  const digits = (magnitude < 0n ? -magnitude : magnitude).toString().padStart(scale + 1, '0');
  const integer = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const text = fraction === '' ? `${sign}${integer}` : `${sign}${integer}.${fraction}`;
  return writeAscii(text, target, offset);
}
