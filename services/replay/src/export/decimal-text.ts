/**
 * Decimals as plain text, straight from their bytes: no exponent, no trailing zeros, as `Decimal.writeText` of the
 * schemas writes them. Scale 18, the contract's, has a way of its own; other scales go by BigInt.
 */

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

/** Three digits of each number below a thousand. */
const TRIPLES = new Uint8Array(3000);
for (let value = 0; value < 1000; value++)
  TRIPLES.set(Buffer.from(String(value).padStart(3, '0')), value * 3);

/** Used within one call. */
const limbs = new Float64Array(LIMBS);

/**
 * Writes the unscaled integer `bytes[start, end)` (big-endian two's complement; no bytes are zero) at its scale.
 * `target` has MAX_DECIMAL_TEXT bytes of room. Returns the offset behind.
 */
export function writeDecimalText(
  bytes: Uint8Array,
  start: number,
  end: number,
  scale: number,
  target: Uint8Array,
  offset: number,
): number {
  if (scale !== CONTRACT_SCALE) return writeAnyScale(bytes, start, end, scale, target, offset);
  let at = offset;
  const negative = start < end && bytes[start]! > 0x7f;
  let used = loadMagnitude(bytes, start, end, negative);
  if (negative) target[at++] = MINUS;
  const third = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  const second = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  const first = divide(used);
  while (used > 0 && limbs[used - 1] === 0) used--;
  at = writeInteger(used, target, at);
  if (first === 0 && second === 0 && third === 0) return at;
  target[at++] = POINT;
  at = writeStep(first, target, at);
  if (second !== 0 || third !== 0) at = writeStep(second, target, at);
  if (third !== 0) at = writeStep(third, target, at);
  while (target[at - 1] === ZERO) at--;
  return at;
}

/** Fills the limbs, least significant first; returns how many are in use. */
function loadMagnitude(bytes: Uint8Array, start: number, end: number, negative: boolean): number {
  let used = 0;
  let carry = negative ? 1 : 0;
  const flip = negative ? 0xff : 0;
  for (let at = end; at > start; at -= 4) {
    const b0 = bytes[at - 1]! ^ flip;
    const b1 = at - 2 >= start ? bytes[at - 2]! ^ flip : 0;
    const b2 = at - 3 >= start ? bytes[at - 3]! ^ flip : 0;
    const b3 = at - 4 >= start ? bytes[at - 4]! ^ flip : 0;
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
function writeInteger(used: number, target: Uint8Array, offset: number): number {
  if (used <= 1) return writeSmall(used === 0 ? 0 : limbs[0]!, target, offset);
  const low = divide(used);
  const left = limbs[used - 1] === 0 ? used - 1 : used;
  return writeStep(low, target, writeInteger(left, target, offset));
}

/** A number below 2^32. */
function writeSmall(value: number, target: Uint8Array, offset: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const next = Math.floor(rest / 10);
    target[at] = ZERO + (rest - next * 10);
    rest = next;
  }
  return offset + digits;
}

function writeStep(value: number, target: Uint8Array, offset: number): number {
  const high = (value / 1000) | 0;
  const upper = high * 3;
  const lower = (value - high * 1000) * 3;
  target[offset] = TRIPLES[upper]!;
  target[offset + 1] = TRIPLES[upper + 1]!;
  target[offset + 2] = TRIPLES[upper + 2]!;
  target[offset + 3] = TRIPLES[lower]!;
  target[offset + 4] = TRIPLES[lower + 1]!;
  target[offset + 5] = TRIPLES[lower + 2]!;
  return offset + STEP_DIGITS;
}

function writeAnyScale(
  bytes: Uint8Array,
  start: number,
  end: number,
  scale: number,
  target: Uint8Array,
  offset: number,
): number {
  let magnitude = 0n;
  for (let at = start; at < end; at++) magnitude = (magnitude << 8n) | BigInt(bytes[at]!);
  magnitude = BigInt.asIntN((end - start) * 8, magnitude);
  const sign = magnitude < 0n ? '-' : '';
  const digits = (magnitude < 0n ? -magnitude : magnitude).toString().padStart(scale + 1, '0');
  const integer = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const text = fraction === '' ? `${sign}${integer}` : `${sign}${integer}.${fraction}`;
  target.set(Buffer.from(text, 'latin1'), offset);
  return offset + text.length;
}
