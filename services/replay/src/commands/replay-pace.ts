import { SettingsError } from '../connection/settings-error.ts';

/** Times a record's distance to the first one is divided by; Infinity: as fast as possible. */
export function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const match = /^(\d+(?:\.\d+)?)x?$/.exec(text);
  const speed = match === null ? 0 : Number(match[1]);
  if (speed > 0) return speed;
  throw new SettingsError(
    `--speed must be a number above 0 such as 1x, 10x or 0.5x, or max; is ${JSON.stringify(text)}`,
  );
}

/** Tells how long to wait before each record, so that they leave in the distances in which they came, divided by the speed. */
export class ReplayPace {
  private readonly speed: number;
  private readonly monotonic: () => number;
  /** When the first record left, and its receive time in microseconds. */
  private startMs = 0;
  private startMicros = Number.NaN;
  /** Records up to this receive time may leave without asking the clock. */
  private allowed = Number.NEGATIVE_INFINITY;

  /** @param monotonic milliseconds of a clock that is never set back */
  constructor(speed: number, monotonic: () => number) {
    this.speed = speed;
    this.monotonic = monotonic;
  }

  /** Milliseconds to wait before a record of this receive time (microseconds) leaves; 0: none. */
  waitMs(receiveTime: number): number {
    if (receiveTime <= this.allowed || this.speed === Number.POSITIVE_INFINITY) return 0;
    const now = this.monotonic();
    if (Number.isNaN(this.startMicros)) {
      this.startMs = now;
      this.startMicros = receiveTime;
    }
    this.allowed = this.startMicros + (now - this.startMs) * 1000 * this.speed;
    return receiveTime <= this.allowed ? 0 : (receiveTime - this.allowed) / 1000 / this.speed;
  }
}
