/** A time that can't be understood; the message says what can. */
export class TimeError extends Error {
  override name = 'TimeError';
}

/** How times are written for people. */
export const TIME_STYLES = ['utc', 'local', 'relative'] as const;
export type TimeStyle = (typeof TIME_STYLES)[number];

/** What `--from` and `--to` take, for `--help`. */
export const TIME_FORMS =
  '2026-11-20T14:00Z, 2026-11-20T14:00:00.5Z, 2026-11-20 (UTC unless --local), -5m, -2h, -1d, now, or milliseconds since 1970';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * A time as people give it, in microseconds since the epoch. `isLocal`: what has no zone is by this machine's
 * clock, else UTC. Throws TimeError.
 */
export function parseTime(text: string, nowMs: number, isLocal: boolean): number {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs * 1000;
  const relative = /^-((?:\d+(?:\.\d+)?[smhdw])+)$/.exec(trimmed);
  if (relative !== null) return Math.round((nowMs - spanOf(relative[1]!)) * 1000);
  // Nine digits of seconds would be a day of 1970 in milliseconds: too easily mistaken.
  if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed) * 1000;
  const iso = ISO.exec(trimmed);
  if (iso === null) throw new TimeError(`is no time: ${JSON.stringify(text)}; use ${TIME_FORMS}`);
  const [, day, minutes = '00:00', seconds = '00', fraction = '', zone] = iso;
  const where = zone === undefined ? (isLocal ? '' : 'Z') : zone.toUpperCase();
  const ms = Date.parse(`${day}T${minutes}:${seconds}${where}`);
  if (!Number.isFinite(ms) || !existsDay(day!))
    throw new TimeError(`is no time of the calendar: ${JSON.stringify(text)}`);
  return ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** A span such as `5s`, `1m30s`, `250ms`, in milliseconds. Throws TimeError. */
export function parseSpan(text: string): number {
  const ms = /^(\d+)ms$/.exec(text);
  if (ms !== null) return Number(ms[1]);
  if (!/^(?:\d+(?:\.\d+)?[smhdw])+$/.test(text)) {
    throw new TimeError(`is no span of time: ${JSON.stringify(text)}; use 250ms, 5s, 1m30s, 2h, 1d`);
  }
  return spanOf(text);
}

/** Microseconds since the epoch in a style; relative ones to `nowMs`. Widths are the same for one style (relative: below 1000 h). */
export function formatTime(micros: number, style: TimeStyle, nowMs: number): string {
  if (style === 'utc') return isoMicros(micros);
  if (style === 'local') return localMicros(micros);
  const ms = nowMs - micros / 1000;
  return `${formatSpan(Math.abs(ms))} ${ms < 0 ? 'ahead' : 'ago'}`;
}

/** A span for people in two units at most: `1.250s`, `4m05s`, `3h20m`, `12d06h`. */
export function formatSpan(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(3)}s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m${two((ms / 1000) % 60)}s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)}h${two((ms / 60_000) % 60)}m`;
  return `${Math.floor(ms / 86_400_000)}d${two((ms / 3_600_000) % 24)}h`;
}

/** `2026-11-20T14:00:00.123456Z`; a number that is no time of the calendar (of a broken record) stays a number. */
export function isoMicros(micros: number): string {
  const ms = Math.floor(micros / 1000);
  if (Number.isNaN(new Date(ms).getTime())) return String(micros);
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, -1)}${String(micros - ms * 1000).padStart(3, '0')}Z`;
}

/** The same by this machine's clock, with its offset: `2026-11-20T15:00:00.123456+01:00`. */
export function localMicros(micros: number): string {
  if (Number.isNaN(new Date(Math.floor(micros / 1000)).getTime())) return String(micros);
  const offset = -new Date(Math.floor(micros / 1000)).getTimezoneOffset();
  const shifted = isoMicros(micros + offset * 60_000_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.abs(offset);
  return `${shifted.slice(0, -1)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function spanOf(text: string): number {
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g))
    ms += Number(count) * UNIT_MS[unit!]!;
  return ms;
}

/** Date.parse takes the 31st of April for the 1st of May. */
function existsDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(day);
}
