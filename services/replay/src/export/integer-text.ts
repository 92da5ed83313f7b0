const ZERO = 0x30;
const MINUS = 0x2d;
/** Sign and 19 digits. */
export const MAX_INTEGER_TEXT = 20;
/** Eight digits at once, so that the rest is 32-bit arithmetic. */
const STEP = 100_000_000;
const LIMB = 0x100000000;

/** Two digits of each number below a hundred. */
const PAIRS = new Uint8Array(200);
for (let value = 0; value < 100; value++) PAIRS.set(Buffer.from(String(value).padStart(2, '0')), value * 2);

/**
 * Writes a 64-bit integer in two halves as decimal text; `target` has MAX_INTEGER_TEXT bytes of room. Returns the
 * offset behind.
 */
export function writeLongText(low: number, high: number, target: Uint8Array, offset: number): number {
  // Within ±2^52 a number is exact.
  if (high >= -0x100000 && high < 0x100000)
    return writeIntegerText(high * LIMB + (low >>> 0), target, offset);
  const text = ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
  target.set(Buffer.from(text, 'latin1'), offset);
  return offset + text.length;
}

/** As `writeLongText`, for a whole number within ±2^53. */
export function writeIntegerText(value: number, target: Uint8Array, offset: number): number {
  let at = offset;
  let rest = value;
  if (rest < 0) {
    target[at++] = MINUS;
    rest = -rest;
  }
  if (rest < STEP) return writeUpTo8(rest, target, at);
  const high = Math.floor(rest / STEP);
  at = high < STEP ? writeUpTo8(high, target, at) : writeIntegerText(high, target, at);
  write8(rest - high * STEP, target, at);
  return at + 8;
}

/** Without leading zeros. */
function writeUpTo8(value: number, target: Uint8Array, offset: number): number {
  const digits =
    value < 10_000
      ? value < 100
        ? value < 10
          ? 1
          : 2
        : value < 1000
          ? 3
          : 4
      : value < 1_000_000
        ? value < 100_000
          ? 5
          : 6
        : value < 10_000_000
          ? 7
          : 8;
  let rest = value | 0;
  let at = offset + digits;
  while (rest > 9) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) * 2;
    target[--at] = PAIRS[pair + 1]!;
    target[--at] = PAIRS[pair]!;
    rest = next;
  }
  if (at > offset) target[offset] = ZERO + rest;
  return offset + digits;
}

/** With leading zeros. */
function write8(value: number, target: Uint8Array, offset: number): void {
  const high = (value / 10_000) | 0;
  write4(high, target, offset);
  write4((value - high * 10_000) | 0, target, offset + 4);
}

function write4(value: number, target: Uint8Array, offset: number): void {
  const high = (value / 100) | 0;
  const upper = high * 2;
  const lower = (value - high * 100) * 2;
  target[offset] = PAIRS[upper]!;
  target[offset + 1] = PAIRS[upper + 1]!;
  target[offset + 2] = PAIRS[lower]!;
  target[offset + 3] = PAIRS[lower + 1]!;
}
