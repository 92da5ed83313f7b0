const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** What is not known. */
export const NOTHING = '–';

/**
 * `12,345`
 * @param {number} value
 */
export function count(value) {
  return WHOLE.format(value);
}

/**
 * `0`, `3.2`, `12,345`
 * @param {number} perSecond
 */
export function rate(perSecond) {
  return perSecond > 0 && perSecond < 10 ? TENTHS.format(perSecond) : WHOLE.format(perSecond);
}

/**
 * `0.8 ms`, `25 ms`, `1.2 s`
 * @param {number | null | undefined} ms
 */
export function delay(ms) {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms >= 1000) return `${TENTHS.format(ms / 1000)} s`;
  return `${ms < 10 ? TENTHS.format(ms) : WHOLE.format(ms)} ms`;
}

/**
 * `9 s`, `2 min 5 s`, `4 h 12 min`, `3 d 4 h`
 * @param {number | null} ms
 */
export function duration(ms) {
  if (ms === null) return NOTHING;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/**
 * `512 B`, `1.5 KiB`, `64.0 MiB`
 * @param {number} value
 */
export function bytes(value) {
  let shown = value;
  for (const unit of ['B', 'KiB', 'MiB']) {
    if (shown < 1024) return `${unit === 'B' ? WHOLE.format(shown) : TENTHS.format(shown)} ${unit}`;
    shown /= 1024;
  }
  return `${TENTHS.format(shown)} GiB`;
}

/**
 * Time of day, with the date when it was another day.
 * @param {number} at epoch milliseconds
 */
export function clock(at) {
  const time = new Date(at);
  const pad = (/** @type {number} */ part) => String(part).padStart(2, '0');
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} `;
  const isToday = time.toDateString() === new Date().toDateString();
  return `${isToday ? '' : day}${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}
