import { distance } from 'fastest-levenshtein';

/** Why a value does not fit its key, for people; `nearest` is the valid value that was probably meant. */
export interface Misfit {
  readonly problem: string;
  readonly nearest: string | null;
}

/**
 * What a key's value may be. `parse` turns text (environment, command line) into what a YAML file
 * would hold, and returns text that it can't read as it is: `read` then refuses it.
 */
export interface Format<T> {
  /** For `--help` and the reference: `integer, 1 or more`. */
  readonly type: string;
  /** What the rest of the program sees; a Misfit when the value is not one. */
  read(value: unknown): T | Misfit;
  parse(text: string): unknown;
  /** As the reference shows a default. */
  show(value: T): string;
}

export function misfit(problem: string, nearest: string | null = null): Misfit {
  return { problem, nearest };
}

export function isMisfit(value: unknown): value is Misfit {
  return typeof value === 'object' && value !== null && 'problem' in value && 'nearest' in value;
}

/** The candidate with the fewest edits, or null when even that one is too far to have been meant. */
export function nearestOf(text: string, candidates: Iterable<string>): string | null {
  const best = fewestEdits(text, candidates);
  if (best === null) return null;
  const edits = distance(text.toLowerCase(), best.toLowerCase());
  return edits <= Math.max(2, Math.ceil(Math.max(text.length, best.length) / 2)) ? best : null;
}

/** The candidate with the fewest edits, however many; null when there is none. */
export function fewestEdits(text: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  const wanted = text.toLowerCase();
  for (const candidate of candidates) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** A value as an error message shows it: short, on one line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/**
 * What somebody wrote, as text to compare; empty for a list or mapping, which no text is like. JSON's
 * objects are not to be asked: `{"toString": 0}` answers with an exception.
 */
function asText(value: unknown): string {
  return typeof value === 'object' ? '' : String(value);
}

function plainText(value: unknown): string {
  return String(value);
}

/** A whole number within bounds. The nearest valid value of one outside is the bound. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Format<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  return {
    type: `integer, ${range}`,
    read(value) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
        const rounded = Math.min(most, Math.max(least, Math.round(Number(asText(value)))));
        return misfit(
          `must be an integer (${range}), is ${quoted(value)}`,
          Number.isFinite(rounded) && asText(value).trim() !== '' ? String(rounded) : null,
        );
      }
      if (value < least) return misfit(`must be ${range}, is ${value}`, String(least));
      if (value > most) return misfit(`must be ${range}, is ${value}`, String(most));
      return value;
    },
    parse: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
    show: plainText,
  };
}

/** A positive number, whole or not. */
export function positive(): Format<number> {
  return {
    type: 'number above 0',
    read(value) {
      if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
      return misfit(`must be a number above 0, is ${quoted(value)}`);
    },
    parse: (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text),
    show: plainText,
  };
}

/** A number with units that may be written after it: `512KiB`, `7d`. A plain number is in the smallest unit. */
function quantity(
  what: string,
  least: number,
  most: number,
  units: Readonly<Record<string, number>>,
): Format<number> {
  const names = Object.keys(units);
  const form = `${what}: a whole number, or one with ${names.join(', ')}`;
  const number = integer(least, most);
  const scale = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const match = /^(\d+) ?([A-Za-z]+)$/.exec(value);
    const unit = match === null ? undefined : units[match[2]!];
    return unit === undefined ? null : Number(match![1]) * unit;
  };
  return {
    type: form,
    read(value) {
      const scaled = scale(value);
      if (scaled === null && value !== null) {
        const unit = typeof value === 'string' ? /^(\d+) ?([A-Za-z]+)$/.exec(value) : null;
        const alike = names.filter((name) => name[0]?.toLowerCase() === unit?.[2]?.[0]?.toLowerCase());
        const meant = unit === null ? null : nearestOf(unit[2]!, alike.length > 0 ? alike : names);
        return misfit(
          `must be ${form}; is ${quoted(value)}`,
          unit === null || meant === null ? null : `${unit[1]}${meant}`,
        );
      }
      return number.read(scaled);
    },
    parse: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
    show(value) {
      const unit = names
        .filter((name) => value !== 0 && value % units[name]! === 0)
        .sort((a, b) => units[b]! - units[a]!)[0];
      return unit === undefined ? String(value) : `${value / units[unit]!}${unit}`;
    },
  };
}

/** A time span in milliseconds. */
export function milliseconds(least = 0, most: number = Number.MAX_SAFE_INTEGER): Format<number> {
  return quantity('milliseconds', least, most, { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, ms: 1 });
}

/** A size in bytes. */
export function bytes(least = 1, most: number = Number.MAX_SAFE_INTEGER): Format<number> {
  return quantity('bytes', least, most, { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 });
}

/** A number, or `none` for no limit, which is Infinity in the program. */
export function orNone(format: Format<number>): Format<number> {
  return {
    type: `${format.type}, or none`,
    read(value) {
      if (value === 'none' || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
      return format.read(value);
    },
    parse: (text) => (text === 'none' ? text : format.parse(text)),
    show: (value) => (value === Number.POSITIVE_INFINITY ? 'none' : format.show(value)),
  };
}

/** A value that may be left out: null. Empty text in the environment or on the command line is null too. */
export function orNull<T>(format: Format<T>): Format<T | null> {
  return {
    type: format.type,
    read: (value) => (value === null ? null : format.read(value)),
    parse: (text) => (text === '' ? null : format.parse(text)),
    show: (value) => (value === null ? 'not set' : format.show(value)),
  };
}

export function boolean(): Format<boolean> {
  return {
    type: 'true or false',
    read(value) {
      if (typeof value === 'boolean') return value;
      const text = asText(value).toLowerCase();
      const meant = ['yes', 'on', '1', 'y'].includes(text)
        ? 'true'
        : ['no', 'off', '0', 'n'].includes(text)
          ? 'false'
          : nearestOf(text, ['true', 'false']);
      return misfit(`must be true or false, is ${quoted(value)}`, meant);
    },
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    show: plainText,
  };
}

export function text(what = 'text'): Format<string> {
  return {
    type: what,
    read(value) {
      if (typeof value !== 'string') return misfit(`must be ${what}, is ${quoted(value)}`);
      return value === '' ? misfit(`must be ${what}, is empty`) : value;
    },
    parse: (given) => given,
    show: (value) => (value === '' ? "''" : value),
  };
}

/** Text that may be refused with a sentence. */
export function textLike(what: string, refuse: (value: string) => Misfit | null): Format<string> {
  const any = text(what);
  return {
    ...any,
    read(value) {
      const read = any.read(value);
      return isMisfit(read) ? read : (refuse(read) ?? read);
    },
  };
}

/** A file's path; one in a configuration file is relative to that file's folder. */
export function path(): Format<string> {
  return text('path of a file');
}

/** A password or the like: never shown, not even when it is wrong. */
export function secret(): Format<string> {
  return {
    type: 'secret text',
    read: (value) =>
      typeof value === 'string' && value !== '' ? value : misfit('must be text that is not empty'),
    parse: (given) => given,
    show: () => '(secret)',
  };
}

export function oneOf<const T extends string>(values: readonly T[]): Format<T> {
  const list = values.map((value) => (value === '' ? "''" : value)).join(', ');
  return {
    type: `one of ${list}`,
    read(value) {
      const found = values.find((candidate) => candidate === value);
      if (found !== undefined) return found;
      return misfit(
        `must be one of ${list}; is ${quoted(value)}`,
        nearestOf(
          asText(value),
          values.filter((v) => v !== ''),
        ),
      );
    },
    parse: (given) => given,
    show: (value) => (value === '' ? "''" : value),
  };
}

/** A list; as text its members are separated by commas, or it is JSON. */
export function list<T>(member: Format<T>): Format<readonly T[]> {
  return {
    type: `list of: ${member.type}`,
    read(value) {
      if (!Array.isArray(value)) return misfit(`must be a list of: ${member.type}; is ${quoted(value)}`);
      const members: T[] = [];
      for (const [at, each] of value.entries()) {
        const read = member.read(each);
        if (isMisfit(read)) return misfit(`[${at}] ${read.problem}`, read.nearest);
        members.push(read);
      }
      return members;
    },
    parse(given) {
      if (given.trim() === '') return [];
      if (given.trimStart().startsWith('[')) return parseJson(given);
      return given.split(',').map((each) => member.parse(each.trim()));
    },
    show: (value) => (value.length === 0 ? '[]' : value.map((each) => member.show(each)).join(', ')),
  };
}

/** JSON, or the text itself when it is none: reading it then fails with its type named. */
export function parseJson(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

/** A mapping of fixed members, all of them needed; as text it is JSON. */
export function record<T extends object>(members: { readonly [K in keyof T]: Format<T[K]> }): Format<T> {
  const names = Object.keys(members) as (keyof T & string)[];
  const type = `{${names.map((name) => `${name}: ${members[name].type}`).join(', ')}}`;
  return {
    type,
    read(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return misfit(`must be ${type}; is ${quoted(value)}`);
      }
      const given = value as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(given)) {
        if (!(names as string[]).includes(name)) {
          return misfit(`has an unknown key ${quoted(name)}`, nearestOf(name, names));
        }
      }
      const read: Partial<T> = {};
      for (const name of names) {
        if (given[name] === undefined) return misfit(`has no ${quoted(name)}: ${members[name].type}`);
        const member = members[name].read(given[name]);
        if (isMisfit(member)) return misfit(`${name} ${member.problem}`, member.nearest);
        read[name] = member;
      }
      return read as T;
    },
    parse: parseJson,
    show: (value) => JSON.stringify(value),
  };
}
