const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A count as people read it: `12,345`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** Milliseconds without the unit, three significant digits at most; `–` when there is none. */
export function millis(value: number | null): string {
  if (value === null) return '–';
  if (value >= 100) return grouped.format(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** A size with its unit: `142 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${Math.round(bytes / 1_000_000)} MB`;
}

/** A time span as a clock shows it: `00:42`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours === 0 ? rest : `${hours}:${rest}`;
}

/** How long ago: `40 ms`, `3.2 s`, `5 min`. */
export function age(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min`;
}
