/** What the parsers return for bytes that are not a time we take. Never NO_TIME, which means "none given". */
export const INVALID_TIME = -2;

/** 2200-01-01: later times are taken for damage. */
const LATEST_MS = 7_258_118_400_000;
const LATEST_MICROS = LATEST_MS * 1000;
/** From here on an integer counts microseconds: as milliseconds it would be the year 5138. */
const MICROS_FROM = 1e14;
const MICROS_PER_SECOND = 1_000_000;
const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND;
/** `2026-06-13T08:00:00Z` */
const SHORTEST_RFC3339 = 20;
const DATE_LENGTH = 10;

const ZERO = 0x30;

/**
 * Epoch time in an integer: milliseconds, or microseconds from 10^14 on (Binance with
 * `timeUnit=MICROSECOND`). Returns microseconds, or INVALID_TIME.
 */
export function parseEpoch(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > 16) return INVALID_TIME;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return INVALID_TIME;
    value = value * 10 + digit;
  }
  const micros = value >= MICROS_FROM ? value : value * 1000;
  return micros < LATEST_MICROS ? micros : INVALID_TIME;
}

/**
 * RFC 3339 text to microseconds; digits beyond the sixth of the fraction are cut. The day is
 * remembered, because nearly every frame is of the same day as the one before.
 */
export class Rfc3339Parser {
  private readonly date = new Uint8Array(DATE_LENGTH);
  private dayMicros = INVALID_TIME;

  /** Microseconds since the epoch, or INVALID_TIME. */
  parse(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < SHORTEST_RFC3339) return INVALID_TIME;
    const separator = bytes[start + DATE_LENGTH];
    if (separator !== 0x54 && separator !== 0x74) return INVALID_TIME; // T
    if (!this.sameDate(bytes, start)) this.readDate(bytes, start);
    if (this.dayMicros === INVALID_TIME) return INVALID_TIME;
    const hours = twoDigits(bytes, start + 11);
    const minutes = twoDigits(bytes, start + 14);
    const seconds = twoDigits(bytes, start + 17);
    if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return INVALID_TIME; // :
    // Second 60 is a leap second: it reads as the first of the next minute.
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60)
      return INVALID_TIME;
    let at = start + 19;
    let fraction = 0;
    if (bytes[at] === 0x2e) {
      const first = ++at;
      let unit = 100_000;
      while (at < end && bytes[at]! >= ZERO && bytes[at]! <= 0x39) {
        if (unit >= 1) fraction += (bytes[at]! - ZERO) * unit;
        unit /= 10;
        at++;
      }
      if (at === first) return INVALID_TIME;
    }
    const offset = readOffset(bytes, at, end);
    if (offset === null) return INVALID_TIME;
    const clock = (hours * 3600 + (minutes - offset) * 60 + seconds) * MICROS_PER_SECOND + fraction;
    const micros = this.dayMicros + clock;
    return micros >= 0 && micros < LATEST_MICROS ? micros : INVALID_TIME;
  }

  private sameDate(bytes: Uint8Array, start: number): boolean {
    // From the day backwards: what changes first is compared first.
    for (let at = DATE_LENGTH - 1; at >= 0; at--) if (this.date[at] !== bytes[start + at]) return false;
    return true;
  }

  private readDate(bytes: Uint8Array, start: number): void {
    this.date.set(bytes.subarray(start, start + DATE_LENGTH));
    this.dayMicros = INVALID_TIME;
    const century = twoDigits(bytes, start);
    const yearOfCentury = twoDigits(bytes, start + 2);
    const month = twoDigits(bytes, start + 5);
    const day = twoDigits(bytes, start + 8);
    if (century < 0 || yearOfCentury < 0 || month < 1 || day < 1) return;
    if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return; // -
    const year = century * 100 + yearOfCentury;
    const midnight = new Date(0);
    midnight.setUTCFullYear(year, month - 1, day);
    // The 31st of a month of 30 days rolls over: not a date.
    if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return;
    this.dayMicros = (midnight.getTime() / 86_400_000) * MICROS_PER_DAY;
  }
}

/** Two digits as a number, or -1. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** `Z` or `+01:00` at the end of the text, in minutes; null when there is anything else. */
function readOffset(bytes: Uint8Array, at: number, end: number): number | null {
  if (at + 1 === end && (bytes[at] === 0x5a || bytes[at] === 0x7a)) return 0; // Z
  if (at + 6 !== end || bytes[at + 3] !== 0x3a) return null;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  if (bytes[at] === 0x2b) return hours * 60 + minutes;
  return bytes[at] === 0x2d ? -(hours * 60 + minutes) : null;
}
