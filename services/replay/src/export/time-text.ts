import { FOUR_DIGITS } from './four-digits.ts';
import { copyFragment, type Fragment, fragmentOf } from './fragment.ts';

const MICROS_PER_SECOND = 1_000_000;
const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND;
const COLON = 0x3a;
const POINT = 0x2e;
const ZULU = 0x5a;
/** `+123456-01-01T00:00:00.000000Z` and quotes. */
export const MAX_TIME_TEXT = 34;

/**
 * Writes times as ISO 8601 in UTC with six digits of the second, `2026-11-20T14:00:00.123456Z`. The text of a day
 * is kept: records of a topic follow each other in time.
 */
export class TimeText {
  private day = Number.NaN;
  private dayText: Fragment = fragmentOf(new Uint8Array(0));

  /** `micros`: since the epoch, exact. Returns the offset behind; all of MAX_TIME_TEXT may be written to. */
  write(micros: number, target: DataView, offset: number): number {
    const day = Math.floor(micros / MICROS_PER_DAY);
    if (day !== this.day) {
      this.day = day;
      this.dayText = fragmentOf(Buffer.from(`${dayText(day)}T`));
    }
    let at = copyFragment(this.dayText, target, offset);
    const within = micros - day * MICROS_PER_DAY;
    const seconds = Math.floor(within / MICROS_PER_SECOND);
    at = twoDigits(Math.floor(seconds / 3600), target, at);
    target.setUint8(at++, COLON);
    at = twoDigits(Math.floor(seconds / 60) % 60, target, at);
    target.setUint8(at++, COLON);
    at = twoDigits(seconds % 60, target, at);
    target.setUint8(at++, POINT);
    const fraction = within - seconds * MICROS_PER_SECOND;
    const upper = Math.floor(fraction / 10_000);
    at = twoDigits(upper, target, at);
    target.setInt32(at, FOUR_DIGITS[fraction - upper * 10_000]!, true);
    target.setUint8(at + 4, ZULU);
    return at + 5;
  }
}

/** `2026-11-20` of the days since the epoch. */
export function dayText(day: number): string {
  const iso = new Date(day * 86_400_000).toISOString();
  return iso.slice(0, iso.indexOf('T'));
}

function twoDigits(value: number, target: DataView, offset: number): number {
  target.setInt16(offset, FOUR_DIGITS[value]! >>> 16, true);
  return offset + 2;
}
