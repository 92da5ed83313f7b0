import { readFileSync } from 'node:fs';
import convict from 'convict';
import { loadAll } from 'js-yaml';
import { LOG_LEVELS, type LogLevel } from './logger.ts';

/** Configuration of the sidecar. */
export interface Config {
  readonly ingestor: {
    /** Address of the ingestor's status, with its path. */
    readonly url: URL;
    /** Time from one question to the next. */
    readonly pollMs: number;
    /** An ingestor that has not answered after this long hangs. */
    readonly timeoutMs: number;
    /** How long a restart is told as the state. */
    readonly restartedMs: number;
  };
  readonly listen: { readonly host: string; readonly port: number };
  /** File with the tokens that open the page and the status; null: they are open. */
  readonly auth: { readonly tokenFile: string | null };
  readonly peers: {
    /** DNS name of all sidecars of the fleet; null: none. */
    readonly host: string | null;
    readonly port: number;
    /** Further ones, `host:port`. */
    readonly addresses: readonly string[];
    readonly pollMs: number;
    readonly timeoutMs: number;
  };
  readonly log: { readonly level: LogLevel };
}

/** All that is wrong with the configuration, one line for each key. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Where the configuration comes from; later ones win: file, environment, command line. */
export interface ConfigSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Key {
  /** Null: not set. */
  readonly fallback: string | number | null;
  readonly doc: string;
  /** What the value must be, for people. */
  readonly type: string;
  /** Turns a value as YAML holds it into ours, undefined when it is not one. */
  read(value: unknown): unknown;
}

const KEYS = {
  'ingestor.url': {
    fallback: 'http://127.0.0.1:9465/status',
    doc: 'Address of the ingestor’s status server (its status.host and status.port).',
    type: 'an http:// address without user and password',
    read: readUrl,
  },
  'ingestor.pollMs': milliseconds(1_000, 'Time from one question to the ingestor to the next.'),
  'ingestor.timeoutMs': milliseconds(2_000, 'An ingestor that has not answered after this long hangs.'),
  'ingestor.restartedMs': milliseconds(60_000, 'How long a restart of the ingestor is told as its state.'),
  'listen.host': {
    fallback: '127.0.0.1',
    doc: 'Address to serve the page, /status, /healthz and /metrics on; 0.0.0.0 in a pod.',
    type: 'an address or host name',
    read: (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined),
  },
  'listen.port': {
    fallback: 9466,
    doc: 'Its port; 0: any free one, written to the log.',
    type: 'an integer, 0 to 65535',
    read: (value: unknown) => integer(value, 0, 65_535),
  },
  'auth.tokenFile': {
    fallback: null,
    doc: 'File with the tokens that open the page, /status, /fleet and /log-level, one on a line, each of 16 characters or more; read again when it changes. Not set: they are open to all who reach listen.host, and the log level can only be changed from this machine.',
    type: 'path of a file',
    read: orNull((value) => (typeof value === 'string' && value !== '' ? value : undefined)),
  },
  'peers.host': {
    fallback: null,
    doc: 'DNS name whose A and AAAA records are the pods of all shards (a headless Service), for the fleet view. Not set: the fleet is this pod alone, and peers.addresses.',
    type: 'a host name',
    read: orNull((value) => (typeof value === 'string' && HOST_NAME.test(value) ? value : undefined)),
  },
  'peers.port': {
    fallback: 9466,
    doc: 'Port of the sidecars that peers.host names.',
    type: 'an integer, 1 to 65535',
    read: (value: unknown) => integer(value, 1, 65_535),
  },
  'peers.addresses': {
    fallback: null,
    doc: 'Further sidecars of the fleet, host:port with commas between; for processes without DNS.',
    type: 'addresses host:port with commas between',
    read: orNull(readAddresses),
  },
  'peers.pollMs': milliseconds(5_000, 'Time from one question to all peers to the next.'),
  'peers.timeoutMs': milliseconds(2_000, 'A peer that has not answered after this long is silent.'),
  'log.level': {
    fallback: 'info',
    doc: 'The least that is logged.',
    type: `one of ${LOG_LEVELS.join(', ')}`,
    read: (value: unknown) => LOG_LEVELS.find((level) => level === value),
  },
} satisfies Record<string, Key>;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?$/;
type KeyName = keyof typeof KEYS;
const KEY_NAMES = Object.keys(KEYS) as KeyName[];

const CONFIG_VARIABLE = 'TICKLINE_SIDECAR_CONFIG';

/** `ingestor.pollMs` → `TICKLINE_SIDECAR_INGESTOR_POLL_MS`. */
export function environmentName(key: string): string {
  return `TICKLINE_SIDECAR_${key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

// Each key brings its own reader: convict's own formats would make 12 of `12abc`.
convict.addFormat({
  name: 'tickline-sidecar-key',
  validate(value: unknown, schema: convict.SchemaObj) {
    const check: unknown = schema.check;
    if (typeof check === 'function') check(value);
  },
  coerce: (value: unknown) => value,
});

/** Reads and checks the configuration. Throws ConfigError, which names each key that is refused. */
export function readConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const given = collect(sources, problems);
  const read = new Map<KeyName, unknown>();
  const schema: Record<string, Record<string, unknown>> = {};
  for (const name of KEY_NAMES) {
    const key: Key = KEYS[name];
    const [section, leaf] = name.split('.') as [string, string];
    schema[section] ??= {};
    schema[section][leaf] = {
      format: 'tickline-sidecar-key',
      default: key.fallback,
      doc: key.doc,
      check(value: unknown) {
        const result = key.read(value);
        if (result === undefined) {
          const by = given.get(name)?.source ?? 'default';
          problems.push(`${by}: ${name} must be ${key.type}, is ${shown(value)}`);
        }
        read.set(name, result);
      },
    };
  }
  // All sources were taken apart above, so that each refusal can name its own: convict reads none itself.
  const config = convict(schema as convict.Schema<Record<string, unknown>>, { env: {}, args: [] });
  config.load(nested(given));
  config.validate({ allowed: 'strict' });
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    throw new ConfigError(
      [`the configuration has ${count}:`, ...problems.map((text) => `  ${text}`)].join('\n'),
    );
  }
  const value = <T>(name: KeyName) => read.get(name) as T;
  return {
    ingestor: {
      url: value('ingestor.url'),
      pollMs: value('ingestor.pollMs'),
      timeoutMs: value('ingestor.timeoutMs'),
      restartedMs: value('ingestor.restartedMs'),
    },
    listen: { host: value('listen.host'), port: value('listen.port') },
    auth: { tokenFile: value('auth.tokenFile') },
    peers: {
      host: value('peers.host'),
      port: value('peers.port'),
      addresses: value<readonly string[] | null>('peers.addresses') ?? [],
      pollMs: value('peers.pollMs'),
      timeoutMs: value('peers.timeoutMs'),
    },
    log: { level: value('log.level') },
  };
}

/** The keys as `--help` shows them. */
export function describeKeys(): string {
  return KEY_NAMES.map((name) => {
    const key: Key = KEYS[name];
    return `  --${name}${key.fallback === null ? '' : `=${key.fallback}`}\n      ${key.doc}\n      Must be ${key.type}; environment: ${environmentName(name)}`;
  }).join('\n');
}

/** The keys as rows of a Markdown table, as docs/sidecar.md has them. */
export function keyRows(): string {
  return KEY_NAMES.map((name) => {
    const { fallback, doc, type }: Key = KEYS[name];
    return `| \`${name}\` | \`${environmentName(name)}\` | ${fallback === null ? 'not set' : `\`${fallback}\``} | ${doc} (${type}) |`;
  }).join('\n');
}

interface Given {
  readonly value: unknown;
  readonly source: string;
}

function collect({ args, env }: ConfigSources, problems: string[]): Map<KeyName, Given> {
  const flags = new Map<KeyName, Given>();
  const files: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(args[at]!);
    const name = match?.[1];
    if (name === undefined || (name !== 'config' && !isKeyName(name))) {
      problems.push(`${args[at]!.split('=')[0]} is not a flag; there are ${flagNames()}`);
      continue;
    }
    let text = match?.[2];
    if (text === undefined && at + 1 < args.length && !args[at + 1]!.startsWith('--')) text = args[++at];
    if (text === undefined || text === '') problems.push(`--${name} needs a value`);
    else if (name === 'config') files.push(text);
    else flags.set(name, { value: scalar(text), source: `--${name}` });
  }

  const given = new Map<KeyName, Given>();
  const fromEnvironment = env[CONFIG_VARIABLE];
  if (files.length === 0 && fromEnvironment !== undefined && fromEnvironment !== '')
    files.push(fromEnvironment);
  for (const file of files) readFile(file, given, problems);

  const byVariable = new Map(KEY_NAMES.map((name) => [environmentName(name), name]));
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || isForeign(variable)) continue;
    const name = byVariable.get(variable);
    if (name === undefined) {
      problems.push(`${variable} names no key; there are ${[...byVariable.keys()].join(', ')}`);
    } else {
      given.set(name, { value: scalar(text), source: variable });
    }
  }
  for (const [name, flag] of flags) given.set(name, flag);
  return given;
}

function readFile(file: string, given: Map<KeyName, Given>, problems: string[]): void {
  let document: unknown;
  try {
    const documents = loadAll(readFileSync(file, 'utf8'), { filename: file });
    if (documents.length > 1) problems.push(`${file}: holds more than one YAML document`);
    document = documents[0] ?? {};
  } catch (error) {
    problems.push(`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  const walk = (value: unknown, at: string) => {
    if (isKeyName(at)) {
      given.set(at, { value, source: file });
    } else if (KEY_NAMES.some((name) => at === '' || name.startsWith(`${at}.`))) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        problems.push(`${file}: ${at === '' ? 'the document' : at} must be a mapping, is ${shown(value)}`);
        return;
      }
      for (const [name, inner] of Object.entries(value)) walk(inner, at === '' ? name : `${at}.${name}`);
    } else {
      problems.push(`${file}: ${at} is not a key; there are ${KEY_NAMES.join(', ')}`);
    }
  };
  walk(document, '');
}

/**
 * Not of ours: other variables, and those that Kubernetes sets for a Service named "tickline-sidecar"
 * (Kubernetes documentation, "Service", "Environment variables").
 */
function isForeign(variable: string): boolean {
  return (
    !variable.startsWith('TICKLINE_SIDECAR_') ||
    variable === CONFIG_VARIABLE ||
    /_SERVICE_(HOST|PORT)(_\w+)?$/.test(variable) ||
    /^TICKLINE_SIDECAR_PORT(_|$)/.test(variable)
  );
}

function nested(given: ReadonlyMap<KeyName, Given>): Record<string, Record<string, unknown>> {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const [name, { value }] of given) {
    const [section, leaf] = name.split('.') as [string, string];
    sections[section] ??= {};
    sections[section][leaf] = value;
  }
  return sections;
}

function isKeyName(name: string): name is KeyName {
  return Object.hasOwn(KEYS, name);
}

function flagNames(): string {
  return ['config', ...KEY_NAMES].map((name) => `--${name}`).join(', ');
}

/** Text of a flag or variable as YAML would hold it. */
function scalar(text: string): unknown {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** A value in an error; an address with a password in it is not shown. */
function shown(value: unknown): string {
  return typeof value === 'string' && value.includes('@') ? 'another text' : String(JSON.stringify(value));
}

function integer(value: unknown, least: number, most: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
    ? value
    : undefined;
}

function milliseconds(fallback: number, doc: string): Key {
  const most = 3_600_000;
  return {
    fallback,
    doc,
    type: `an integer (milliseconds), 10 to ${most}`,
    read: (value) => integer(value, 10, most),
  };
}

/** For keys that may be left out: null when they are. */
function orNull(read: (value: unknown) => unknown): (value: unknown) => unknown {
  return (value) => (value === null ? null : read(value));
}

function readAddresses(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'string') return undefined;
  const addresses = value.split(',').map((each) => each.trim());
  const good = addresses.every(
    (each) => /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i.test(each) && URL.canParse(`http://${each}`),
  );
  return good ? addresses : undefined;
}

function readUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '') return undefined;
  if (url.pathname === '/') url.pathname = '/status';
  return url;
}
