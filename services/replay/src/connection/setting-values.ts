import { readFileSync } from 'node:fs';
import convict from 'convict';
import { reasonOf } from './file-reason.ts';
import type { Setting } from './setting-sources.ts';
import { SettingsError } from './settings-error.ts';
import { ALL_KEYS, SASL_MECHANISMS, type SettingKind } from './settings-keys.ts';

/** One format for all keys: values are left as they are, where convict's own formats would make 20 of `20s`. */
convict.addFormat({
  name: 'tickline-connection',
  validate(value: unknown, schema: convict.SchemaObj) {
    const check: unknown = schema.check;
    if (typeof check === 'function') check(value);
  },
  coerce: (value: unknown) => value,
});

/** The settings with their defaults, checked by convict; each refusal names who set the value. */
export class SettingValues {
  private readonly set: ReadonlyMap<string, Setting>;
  private readonly values: convict.Config<Record<string, unknown>>;

  constructor(set: ReadonlyMap<string, Setting>) {
    this.set = set;
    // convict's own messages show values, and a value may be a secret: problems are collected beside it.
    const problems: string[] = [];
    const schema = nested(
      ALL_KEYS.map(({ path, kind, fallback, doc }) => [
        path,
        {
          doc,
          default: fallback,
          sensitive: kind === 'secret',
          format: 'tickline-connection',
          check: (value: unknown) => {
            if (value === fallback || (kind === 'list' && value === undefined)) return;
            const problem = misfitOf(kind, value);
            if (problem !== null) problems.push(this.refusal(path, problem).message);
          },
        },
      ]),
    );
    // No arguments and no environment: precedence is settled already, with the source of each value known.
    this.values = convict(schema as convict.Schema<Record<string, unknown>>, { args: [], env: {} });
    this.values.load(nested([...set].map(([path, { value }]) => [path, value])));
    this.values.validate({ allowed: 'strict' });
    if (problems.length > 0) throw new SettingsError(problems.join('; '));
  }

  text(path: string): string {
    return String(this.values.get(path));
  }

  textOrNull(path: string): string | null {
    return this.text(path) === '' ? null : this.text(path);
  }

  list(path: string): string[] {
    return this.values.get(path) as unknown as string[];
  }

  flag(path: string): boolean {
    return Boolean(this.values.get(path));
  }

  milliseconds(path: string): number {
    return millisecondsOf(this.values.get(path)) ?? 0;
  }

  integerOrNull(path: string): number | null {
    return this.values.get(path) as unknown as number | null;
  }

  /** The content of the file that a setting names; null: it names none. */
  file(path: string): Buffer | null {
    const name = this.textOrNull(path);
    if (name === null) return null;
    try {
      return readFileSync(name);
    } catch (error) {
      throw this.refusal(path, `names ${name}, which ${reasonOf(error)}`);
    }
  }

  /** A value that may be in a file; a line end behind it is left off. */
  textOrFile(path: string): string | null {
    const file = this.file(`${path}File`);
    if (file === null) return this.textOrNull(path);
    const text = file.toString('utf8').replace(/\r?\n$/, '');
    if (text === '') throw this.refusal(`${path}File`, `names ${this.text(`${path}File`)}, which is empty`);
    return text;
  }

  refusal(path: string, problem: string): SettingsError {
    const source = this.set.get(path)?.source;
    return new SettingsError(
      `${path} ${problem}${source === undefined || source === `--${path}` ? '' : ` (set by ${source})`}`,
    );
  }
}

/** Why a value does not fit; null: it does. A secret is never shown. */
function misfitOf(kind: SettingKind, value: unknown): string | null {
  const shown = JSON.stringify(value) ?? String(value);
  switch (kind) {
    case 'list':
      return Array.isArray(value) && value.every((each) => typeof each === 'string')
        ? null
        : `must be a list of texts, is ${shown}`;
    case 'boolean':
      return typeof value === 'boolean' ? null : `must be true or false, is ${shown}`;
    case 'integer':
      return Number.isSafeInteger(value) ? null : `must be a whole number, is ${shown}`;
    case 'milliseconds':
      return millisecondsOf(value) === null
        ? `must be milliseconds, or a number with ms, s or m; is ${shown}`
        : null;
    case 'mechanism':
      return (SASL_MECHANISMS as readonly unknown[]).includes(value)
        ? null
        : `must be one of ${SASL_MECHANISMS.filter((each) => each !== '').join(', ')}; is ${shown}`;
    case 'secret':
      return typeof value === 'string' ? null : 'must be text';
    case 'text':
    case 'path':
      return typeof value === 'string' ? null : `must be text, is ${shown}`;
  }
}

/** A time span of at least 1 ms, as the ingestor's configuration writes it; null: it is none. */
function millisecondsOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : null;
  const match = typeof value === 'string' ? /^(\d+) ?(ms|s|m|h)$/.exec(value) : null;
  if (match === null) return null;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return Number(match[1]) * units[match[2]!]!;
}

function nested(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of entries) {
    const names = path.split('.');
    const last = names.pop()!;
    let at = root;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[last] = value;
  }
  return root;
}
