import type { Format } from './format.ts';

/** One setting: what it may be, what it is when nobody sets it, and its explanation. */
export interface Key<T> {
  readonly kind: 'key';
  readonly format: Format<T>;
  /** Undefined: it must be set. */
  readonly fallback: T | undefined;
  /** One or two sentences for `--help` and the reference. */
  readonly doc: string;
  /** Never shown, and refused on the command line, which every user of the machine can read. */
  readonly secret: boolean;
  /** Holds a path; in a configuration file it is relative to that file's folder. */
  readonly isPath: boolean;
}

/** Keys by name, in sections. */
export interface KeyTree {
  readonly [name: string]: Key<unknown> | KeyTree;
}

/** The values of a tree of keys. */
export type ValuesOf<T> =
  T extends Key<infer V> ? V : T extends object ? { readonly [K in keyof T]: ValuesOf<T[K]> } : never;

/** A setting with a default. */
export function key<T>(format: Format<T>, fallback: T, doc: string): Key<T> {
  return { kind: 'key', format, fallback, doc, secret: false, isPath: false };
}

/** A setting without a default: the program refuses to start when nobody sets it. */
export function requiredKey<T>(format: Format<T>, doc: string): Key<T> {
  return { kind: 'key', format, fallback: undefined, doc, secret: false, isPath: false };
}

export function secretKey<T>(format: Format<T>, fallback: T, doc: string): Key<T> {
  return { ...key(format, fallback, doc), secret: true };
}

export function pathKey<T>(format: Format<T>, fallback: T, doc: string): Key<T> {
  return { ...key(format, fallback, doc), isPath: true };
}

export function isKey(node: Key<unknown> | KeyTree): node is Key<unknown> {
  return node.kind === 'key';
}

/** Every key of a tree by its dotted path, in the tree's order. */
export function flatKeys(tree: KeyTree, prefix = ''): Map<string, Key<unknown>> {
  const flat = new Map<string, Key<unknown>>();
  for (const [name, node] of Object.entries(tree)) {
    const at = prefix === '' ? name : `${prefix}.${name}`;
    if (isKey(node)) flat.set(at, node);
    else for (const [path, inner] of flatKeys(node, at)) flat.set(path, inner);
  }
  return flat;
}

/** `exchanges.bybit-spot.limits.topicsPerRequest` → `TICKLINE_EXCHANGES_BYBIT_SPOT_LIMITS_TOPICS_PER_REQUEST`. */
export function environmentName(path: string): string {
  const words = path.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[.-]/g, '_');
  return `TICKLINE_${words.toUpperCase()}`;
}

/** `kafka.brokers` → `--kafka.brokers`. */
export function flagName(path: string): string {
  return `--${path}`;
}
