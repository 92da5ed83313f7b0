import convict from 'convict';
import type { ConfigProblem } from './config-error.ts';
import { isMisfit } from './format.ts';
import { environmentName, flagName, flatKeys, type KeyTree, type ValuesOf } from './key.ts';
import type { Setting } from './settings.ts';

/**
 * One format for all keys: each brings its own reader. Text is left as it is, where convict's own
 * formats would make 12 of `12abc`.
 */
convict.addFormat({
  name: 'tickline',
  validate(value: unknown, schema: convict.SchemaObj) {
    const check: unknown = schema.check;
    if (typeof check === 'function') check(value);
  },
  coerce: (value: unknown) => value,
});

/** The values of all keys, and what is wrong with them. */
export interface ReadValues<T> {
  /** Null stands where a key is wrong or missing. */
  readonly values: T;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Lays the settings over the defaults and checks each by its key, by convict. `isNeeded` says
 * whether a key without a default must be set.
 */
export function readValues<T extends KeyTree>(
  keys: T,
  settings: ReadonlyMap<string, Setting>,
  isNeeded: (path: string) => boolean,
): ReadValues<ValuesOf<T>> {
  const problems: ConfigProblem[] = [];
  const read = new Map<string, unknown>();
  const schema = nested(
    [...flatKeys(keys)].map(([path, key]) => [
      path,
      {
        format: 'tickline',
        default: key.fallback ?? null,
        doc: key.doc,
        env: environmentName(path),
        arg: path,
        sensitive: key.secret,
        check(value: unknown) {
          const setting = settings.get(path);
          if (setting === undefined) {
            read.set(path, key.fallback ?? null);
            if (key.fallback === undefined && isNeeded(path)) problems.push(missing(path, key.format.type));
            return;
          }
          const result = key.format.read(value);
          if (isMisfit(result)) problems.push({ key: path, source: setting.source, ...result });
          read.set(path, isMisfit(result) ? null : result);
        },
      },
    ]),
  );
  // No arguments and no environment: precedence is settled already, with the source of each value known.
  const config = convict(schema as convict.Schema<Record<string, unknown>>, { args: [], env: {} });
  config.load(nested([...settings].map(([path, { value }]) => [path, value])));
  config.validate({ allowed: 'strict' });
  return { values: nested([...read]) as ValuesOf<T>, problems };
}

function missing(path: string, type: string): ConfigProblem {
  return {
    key: path,
    source: null,
    problem: `is not set: give it in a file, as ${environmentName(path)} or as ${flagName(path)} (${type})`,
    nearest: null,
  };
}

/** Values by dotted path as nested objects. */
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
