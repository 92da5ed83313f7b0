const MICROS_PER_SECOND = 1_000_000;
const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND;
const ZERO = 0x30;
/** `+123456-01-01T00:00:00.000000Z` and quotes. */
export const MAX_TIME_TEXT = 34;

/**
 * Writes times as ISO 8601 in UTC with six digits of the second, `2026-11-20T14:00:00.123456Z`. The text of a day
 * is kept: records of a topic follow each other in time.
 */
export class TimeText {
  private day = Number.NaN;
  private dayText = Buffer.alloc(0);

  /** `micros`: since the epoch, exact. Returns the offset behind. */
  write(micros: number, target: Uint8Array, offset: number): number {
    const day = Math.floor(micros / MICROS_PER_DAY);
    if (day !== this.day) {
      this.day = day;
      this.dayText = Buffer.from(`${dayText(day)}T`);
    }
    target.set(this.dayText, offset);
    let at = offset + this.dayText.length;
    const within = micros - day * MICROS_PER_DAY;
    const seconds = Math.floor(within / MICROS_PER_SECOND);
    at = twoDigits(Math.floor(seconds / 3600), target, at);
    target[at++] = 0x3a;
    at = twoDigits(Math.floor(seconds / 60) % 60, target, at);
    target[at++] = 0x3a;
    at = twoDigits(seconds % 60, target, at);
    target[at++] = 0x2e;
    let fraction = within - seconds * MICROS_PER_SECOND;
    for (let digit = at + 5; digit >= at; digit--) {
      const next = Math.floor(fraction / 10);
      target[digit] = ZERO + (fraction - next * 10);
      fraction = next;
    }
    at += 6;
    target[at++] = 0x5a;
    return at;
  }
}

/** `2026-11-20` of the days since the epoch. */
export function dayText(day: number): string {
  const iso = new Date(day * 86_400_000).toISOString();
  return iso.slice(0, iso.indexOf('T'));
}

function twoDigits(value: number, target: Uint8Array, offset: number): number {
  target[offset] = ZERO + Math.floor(value / 10);
  target[offset + 1] = ZERO + (value % 10);
  return offset + 2;
}
