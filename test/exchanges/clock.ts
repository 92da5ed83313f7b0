import { performance } from 'node:perf_hooks';

/** Now as integer microseconds since 1970, on the machine's clock; finer than `Date.now()`. */
export function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}

let cachedSecond = -1;
let cachedText = '';

/** Microseconds since 1970 as RFC 3339 text with six fraction digits, as Kraken writes times. */
export function rfc3339Micros(micros: number): string {
  const second = Math.floor(micros / 1_000_000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedText = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${cachedText}${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
}
