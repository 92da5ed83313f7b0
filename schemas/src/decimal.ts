/** Digits after the point in every `decimal(38, 18)` of the record contract. */
export const DECIMAL_SCALE = 18;
/** Digits in all: |unscaled| < 10^38. */
export const DECIMAL_PRECISION = 38;

/** Thrown for text that is not a number, or that `decimal(38, 18)` cannot hold exactly. */
export class DecimalError extends Error {
  override name = 'DecimalError';
}

const MAX_INTEGER_DIGITS = DECIMAL_PRECISION - DECIMAL_SCALE;
const LIMB_BITS = 24;
const LIMB = 0x1000000;
const LIMB_MASK = 0xffffff;
/** 10^38 needs 127 bits: six limbs of 24. */
const LIMBS = 6;
/** Digits taken in one step: 10^7 < 2^24, so a limb times 10^7 plus a carry stays below 2^53. */
const STEP_DIGITS = 7;
const POWERS_OF_TEN = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000] as const;
const BOUND = 10n ** BigInt(DECIMAL_PRECISION);

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

const STEP = 10_000_000;
/** Whole steps that hold 38 digits. */
const MAX_DIGITS = 42;
/** Sign, 20 digits, point, 18 digits. */
export const MAX_DECIMAL_TEXT = 40;
/** Used within one call of `writeText`. */
const SCRATCH = { rest: new Int32Array(LIMBS), digits: new Uint8Array(MAX_DIGITS) };

/**
 * An exact decimal(38, 18) that is filled again and again, so that the hot path builds no object.
 * It holds the unscaled integer (value × 10^18) as sign and six limbs of 24 bits, least significant
 * first, or null.
 *
 * Text is JSON's number grammar (RFC 8259 section 6), in a string or bare: `64250.10`, `1e-08`.
 * Zeros beyond the 18th digit are accepted, other digits there are an error: exact or rejected.
 */
export class Decimal {
  private readonly limbs = new Int32Array(LIMBS);
  /** Limbs in use; 0 means the value zero. */
  private used = 0;
  private negative = false;
  private present = false;

  get isNull(): boolean {
    return !this.present;
  }

  get isZero(): boolean {
    return this.present && this.used === 0;
  }

  get isNegative(): boolean {
    return this.present && this.negative;
  }

  get isPositive(): boolean {
    return this.present && !this.negative && this.used !== 0;
  }

  clear(): void {
    this.present = false;
  }

  /**
   * Takes the number in `bytes[start, end)`. Returns false, and is null, when it is not a number or
   * does not fit; the caller knows what it read and says so.
   */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.present = false;
    this.used = 0;
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let chunk = 0;
    let chunkDigits = 0;
    let integerDigits = 0;
    let digit = at < end ? bytes[at]! - ZERO : -1;
    while (digit >= 0 && digit <= 9) {
      chunk = chunk * 10 + digit;
      if (++chunkDigits === STEP_DIGITS) {
        this.multiplyAdd(STEP, chunk);
        chunk = 0;
        chunkDigits = 0;
      }
      integerDigits++;
      if (integerDigits > MAX_INTEGER_DIGITS) return this.parseUncommon(bytes, start, end);
      digit = ++at < end ? bytes[at]! - ZERO : -1;
    }
    if (integerDigits === 0 || (integerDigits > 1 && bytes[first] === ZERO)) return false;
    let fractionDigits = 0;
    if (at < end && bytes[at] === POINT) {
      digit = ++at < end ? bytes[at]! - ZERO : -1;
      while (digit >= 0 && digit <= 9) {
        if (fractionDigits === DECIMAL_SCALE) return this.parseUncommon(bytes, start, end);
        chunk = chunk * 10 + digit;
        if (++chunkDigits === STEP_DIGITS) {
          this.multiplyAdd(STEP, chunk);
          chunk = 0;
          chunkDigits = 0;
        }
        fractionDigits++;
        digit = ++at < end ? bytes[at]! - ZERO : -1;
      }
      if (fractionDigits === 0) return false;
    }
    if (at !== end) return this.parseUncommon(bytes, start, end);
    // The rest of the digits, then the zeros up to the 18th, in as few steps as fit.
    let zeros = DECIMAL_SCALE - fractionDigits;
    const room = STEP_DIGITS - chunkDigits;
    const padded = Math.min(zeros, room);
    this.multiplyAdd(POWERS_OF_TEN[chunkDigits + padded]!, chunk * POWERS_OF_TEN[padded]!);
    zeros -= padded;
    while (zeros > 0) {
      const step = Math.min(zeros, STEP_DIGITS);
      this.multiplyAdd(POWERS_OF_TEN[step]!, 0);
      zeros -= step;
    }
    this.negative = negative && this.used !== 0;
    this.present = true;
    return true;
  }

  /** As `parse`, for text outside the hot path (instruments, configuration, tests). */
  parseText(text: string): boolean {
    const bytes = Buffer.from(text);
    return this.parse(bytes, 0, bytes.length);
  }

  /** Exponents, more than 18 digits after the point, wide integers: rare, so by BigInt. */
  private parseUncommon(bytes: Uint8Array, start: number, end: number): boolean {
    this.used = 0;
    if (end - start > 1024) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    const parts = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,6}))?$/.exec(text);
    if (parts === null) return false;
    const [, sign, integer = '', fraction = '', exponent = '0'] = parts;
    const digits = `${integer}${fraction}`.replace(/^0+/, '');
    if (digits === '') {
      this.setUnscaled(0n);
      return true;
    }
    const scale = fraction.length - Number(exponent);
    const significant = digits.replace(/0+$/, '');
    const shift = DECIMAL_SCALE - scale + (digits.length - significant.length);
    if (shift < 0 || significant.length + shift > DECIMAL_PRECISION) return false;
    const unscaled = BigInt(significant) * 10n ** BigInt(shift);
    this.setUnscaled(sign === '-' ? -unscaled : unscaled);
    return true;
  }

  /** limbs = limbs × factor + addend; both below 2^24. */
  private multiplyAdd(factor: number, addend: number): void {
    const limbs = this.limbs;
    const used = this.used;
    let carry = addend;
    for (let at = 0; at < used; at++) {
      const product = limbs[at]! * factor + carry;
      carry = Math.floor(product / LIMB);
      limbs[at] = product - carry * LIMB;
    }
    if (carry !== 0) {
      limbs[used] = carry;
      this.used = used + 1;
    }
  }

  /** Sets the value from its unscaled integer. Throws DecimalError when it does not fit. */
  setUnscaled(unscaled: bigint): void {
    const magnitude = unscaled < 0n ? -unscaled : unscaled;
    if (magnitude >= BOUND) throw new DecimalError(`out of range for decimal(38, 18): ${unscaled}`);
    let rest = magnitude;
    let used = 0;
    while (rest > 0n) {
      this.limbs[used++] = Number(rest & BigInt(LIMB_MASK));
      rest >>= BigInt(LIMB_BITS);
    }
    this.used = used;
    this.negative = unscaled < 0n;
    this.present = true;
  }

  /** The unscaled integer: value × 10^18. Throws DecimalError on null. */
  get unscaled(): bigint {
    if (!this.present) throw new DecimalError('a null decimal has no value');
    let magnitude = 0n;
    for (let at = this.used - 1; at >= 0; at--) {
      magnitude = (magnitude << BigInt(LIMB_BITS)) | BigInt(this.limbs[at]!);
    }
    return this.negative ? -magnitude : magnitude;
  }

  /** Takes another decimal's value. */
  copy(other: Decimal): void {
    this.limbs.set(other.limbs);
    this.used = other.used;
    this.negative = other.negative;
    this.present = other.present;
  }

  /** Plain text without exponent or trailing zeros: `64250.1`; `null` when null. */
  toString(): string {
    return this.present ? formatUnscaled(this.unscaled) : 'null';
  }

  /**
   * Writes Avro `bytes`: the length (zigzag varint), then the unscaled integer big-endian in the
   * fewest bytes of two's complement (Avro 1.12, "Decimal"; as Java's BigInteger.toByteArray).
   * Needs 17 bytes of room; returns the offset behind.
   */
  writeAvro(target: Uint8Array, offset: number): number {
    if (this.negative) return this.writeNegative(target, offset);
    const limbs = this.limbs;
    let limb = this.used - 1;
    if (limb < 0) {
      target[offset] = 2;
      target[offset + 1] = 0;
      return offset + 2;
    }
    const top = limbs[limb]!;
    let at = offset + 1;
    // A set highest bit would read as a sign: one zero byte before it.
    if (top > 0x7f) {
      if (top > 0x7fff) {
        if (top > 0x7fffff) target[at++] = 0;
        target[at++] = top >>> 16;
      }
      target[at++] = top >>> 8;
    }
    target[at++] = top;
    while (--limb >= 0) {
      const next = limbs[limb]!;
      target[at++] = next >>> 16;
      target[at++] = next >>> 8;
      target[at++] = next;
    }
    target[offset] = (at - offset - 1) << 1;
    return at;
  }

  /**
   * Writes plain ASCII text, as `toString`: no exponent, no trailing zeros. Needs MAX_DECIMAL_TEXT
   * bytes of room; returns the offset behind. Throws DecimalError on null.
   */
  writeText(target: Uint8Array, offset: number): number {
    if (!this.present) throw new DecimalError('a null decimal has no text');
    const { rest, digits } = SCRATCH;
    let used = this.used;
    for (let at = 0; at < used; at++) rest[at] = this.limbs[at]!;
    // Seven digits at a time, from the right, by dividing through 10^7.
    let first = MAX_DIGITS;
    while (used > 0) {
      let remainder = 0;
      for (let at = used - 1; at >= 0; at--) {
        const value = remainder * LIMB + rest[at]!;
        const quotient = Math.floor(value / STEP);
        rest[at] = quotient;
        remainder = value - quotient * STEP;
      }
      if (rest[used - 1] === 0) used--;
      for (let count = 0; count < STEP_DIGITS; count++) {
        const next = Math.floor(remainder / 10);
        digits[--first] = remainder - next * 10;
        remainder = next;
      }
    }
    const point = MAX_DIGITS - DECIMAL_SCALE;
    while (first > point - 1) digits[--first] = 0;
    while (first < point - 1 && digits[first] === 0) first++;
    let end = MAX_DIGITS;
    while (end > point && digits[end - 1] === 0) end--;

    let at = offset;
    if (this.negative) target[at++] = MINUS;
    for (let digit = first; digit < point; digit++) target[at++] = ZERO + digits[digit]!;
    if (end === point) return at;
    target[at++] = POINT;
    for (let digit = point; digit < end; digit++) target[at++] = ZERO + digits[digit]!;
    return at;
  }

  /** Negative values (funding rates, price changes) are rare: by BigInt. */
  private writeNegative(target: Uint8Array, offset: number): number {
    const bytes = unscaledToBytes(this.unscaled);
    target[offset] = bytes.length << 1;
    target.set(bytes, offset + 1);
    return offset + 1 + bytes.length;
  }
}

/** Fewest bytes of two's complement, big-endian. */
export function unscaledToBytes(unscaled: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length++;
  const bytes = new Uint8Array(length);
  let rest = BigInt.asUintN(length * 8, unscaled);
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The inverse of `unscaledToBytes`; no bytes at all read as zero. */
export function unscaledFromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** Plain decimal text of an unscaled integer at scale 18, without trailing zeros. */
export function formatUnscaled(unscaled: bigint): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(DECIMAL_SCALE + 1, '0');
  const integer = digits.slice(0, -DECIMAL_SCALE);
  const fraction = digits.slice(-DECIMAL_SCALE).replace(/0+$/, '');
  return fraction === '' ? `${sign}${integer}` : `${sign}${integer}.${fraction}`;
}

/** The unscaled integer of plain or scientific text. Throws DecimalError when it is not exact. */
export function parseUnscaled(text: string): bigint {
  const decimal = new Decimal();
  if (!decimal.parseText(text)) throw new DecimalError(`not an exact decimal(38, 18): ${text.slice(0, 60)}`);
  return decimal.unscaled;
}
