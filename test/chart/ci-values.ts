import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chartFolder } from './helm.ts';
import { ciFile } from './rendered.ts';

/** A value of the chart: what YAML can hold. */
export type Value = null | boolean | number | string | readonly Value[] | Values;
/** Values by their names. */
export interface Values {
  readonly [name: string]: Value;
}

/** What a values file of ci says itself. */
export function ciValues(name: string): Values {
  return readValues(ciFile(name));
}

/** What the templates see: the chart's values with those of a ci file over them, as helm merges them. */
export function mergedValues(name: string): Values {
  return merge(readValues(join(chartFolder, 'values.yaml')), ciValues(name));
}

/** The value at a dotted path, undefined where there is none. */
export function valueAt(values: Values, path: string): Value | undefined {
  return path
    .split('.')
    .reduce<Value | undefined>((value, name) => (isValues(value) ? value[name] : undefined), values);
}

/** Whether it is a mapping. */
export function isValues(value: Value | undefined): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readValues(file: string): Values {
  return (parse(readFileSync(file, 'utf8')) ?? {}) as Values;
}

/** Mappings are joined, null takes out, everything else replaces (helm documentation, "Values Files"). */
function merge(under: Values, over: Values): Values {
  const merged: Record<string, Value> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const known = merged[name];
    if (value === null) delete merged[name];
    else merged[name] = isValues(known) && isValues(value) ? merge(known, value) : value;
  }
  return merged;
}
