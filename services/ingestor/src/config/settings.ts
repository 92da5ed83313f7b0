import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { EXCHANGES, type ExchangeName, isExchangeName } from '@tickline/schemas';
import { loadAll, YAMLException } from 'js-yaml';
import type { CommandLine } from './command-line.ts';
import type { ConfigProblem } from './config-error.ts';
import { isMisfit, nearestOf } from './format.ts';
import { environmentName, flagName, flatKeys, isKey, type Key, type KeyTree } from './key.ts';

/** A value as somebody set it, and who. */
export interface Setting {
  readonly value: unknown;
  readonly source: string;
}

/** All settings by key, after precedence: files in order, then environment, then command line. */
export interface Settings {
  readonly byKey: ReadonlyMap<string, Setting>;
  /** Exchanges that any source mentions: these are the ones that are run. */
  readonly exchanges: ReadonlySet<ExchangeName>;
  readonly problems: readonly ConfigProblem[];
}

/** Collects the settings of all sources and refuses those that no key knows. */
export function collectSettings(
  keys: KeyTree,
  line: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const collector = new Collector(keys);
  collector.problems.push(...line.problems);
  const fromEnvironment = (env[CONFIG_VARIABLE] ?? '').split(':').filter((file) => file !== '');
  for (const file of line.files.length > 0 ? line.files : fromEnvironment) collector.file(file);
  collector.environment(env);
  collector.commandLine(line);
  return { byKey: collector.byKey, exchanges: collector.exchanges, problems: collector.problems };
}

/** Files or folders, separated by colons, where no `--config` is given. */
export const CONFIG_VARIABLE = 'TICKLINE_CONFIG';

/**
 * Variables that begin with TICKLINE_ and are not ours: the sidecar's, those of tests, and what
 * Kubernetes sets for each Service in the namespace (`TICKLINE_PORT=tcp://…` for one named
 * "tickline"; Kubernetes documentation, "Service", "Environment variables").
 */
function isForeign(name: string): boolean {
  return (
    name === CONFIG_VARIABLE ||
    name === 'TICKLINE_CAPTURES' ||
    name.startsWith('TICKLINE_SIDECAR_') ||
    name.startsWith('TICKLINE_TEST_') ||
    /_SERVICE_(HOST|PORT)(_\w+)?$/.test(name) ||
    /^TICKLINE(_\w+)?_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)
  );
}

class Collector {
  readonly byKey = new Map<string, Setting>();
  readonly exchanges = new Set<ExchangeName>();
  readonly problems: ConfigProblem[] = [];
  private readonly keys: KeyTree;
  private readonly flat: ReadonlyMap<string, Key<unknown>>;

  constructor(keys: KeyTree) {
    this.keys = keys;
    this.flat = flatKeys(keys);
  }

  /** A file, or all `*.yaml` of a folder in alphabetical order. */
  file(path: string): void {
    let files: string[];
    try {
      files = statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
            .sort()
            .map((name) => join(path, name))
        : [path];
    } catch (error) {
      this.refuse('', path, `can't be read: ${reasonOf(error)}`);
      return;
    }
    if (files.length === 0) this.refuse('', path, 'is a folder without *.yaml files');
    for (const file of files) this.oneFile(file);
  }

  private oneFile(file: string): void {
    let documents: unknown[];
    try {
      documents = loadAll(readFileSync(file, 'utf8'), { filename: file });
    } catch (error) {
      // The exception's own text quotes the file, and the file may hold a secret.
      const where = error instanceof YAMLException && error.mark ? ` (line ${error.mark.line + 1})` : '';
      const reason =
        error instanceof YAMLException
          ? `is not YAML: ${withoutContent(error.reason)}`
          : `can't be read: ${reasonOf(error)}`;
      this.refuse('', file, `${reason}${where}`);
      return;
    }
    if (documents.length > 1) this.refuse('', file, 'holds more than one YAML document');
    else this.section(this.keys, '', documents[0] ?? null, file, dirname(resolve(file)));
  }

  private section(tree: KeyTree, at: string, value: unknown, source: string, folder: string): void {
    if (value === null) return;
    if (!isMapping(value)) {
      this.refuse(at, source, `must be a mapping of ${Object.keys(tree).join(', ')}`);
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      const path = at === '' ? name : `${at}.${name}`;
      const node = Object.hasOwn(tree, name) ? tree[name]! : undefined;
      if (at === 'exchanges' && isExchangeName(name)) this.mention(name, inner);
      if (node === undefined) this.unknownName(tree, at, name, source);
      else if (!isKey(node)) this.section(node, path, inner, source, folder);
      else this.set(path, node, inner, source, folder);
    }
  }

  /** An exchange set to null by a later file is taken out again, with all that earlier ones said of it. */
  private mention(exchange: ExchangeName, value: unknown): void {
    if (value !== null) {
      this.exchanges.add(exchange);
      return;
    }
    this.exchanges.delete(exchange);
    for (const path of this.byKey.keys()) {
      if (path.startsWith(`exchanges.${exchange}.`)) this.byKey.delete(path);
    }
  }

  private set(path: string, key: Key<unknown>, value: unknown, source: string, folder: string | null): void {
    // Null takes back what an earlier file said: the default holds again.
    if (value === null) {
      this.byKey.delete(path);
      return;
    }
    if (isMapping(value)) {
      const read = key.format.read(value);
      if (isMisfit(read)) this.refuse(path, source, key.secret ? 'must be text' : read.problem, read.nearest);
      return;
    }
    const isRelative =
      key.isPath && folder !== null && typeof value === 'string' && value !== '' && !isAbsolute(value);
    this.byKey.set(path, { value: isRelative ? join(folder, value) : value, source });
  }

  private unknownName(tree: KeyTree, at: string, name: string, source: string): void {
    if (at === 'exchanges') {
      const problem = `is not an exchange that is known here (${EXCHANGES.join(', ')})`;
      this.refuse(`exchanges.${name}`, source, problem, nearestOf(name, EXCHANGES));
      return;
    }
    const path = at === '' ? name : `${at}.${name}`;
    // In its own section first; a key that moved is looked for everywhere.
    const meant =
      nearestOf(name, Object.keys(tree)) ??
      [...this.flat.keys()].find((other) => other.endsWith(`.${name}`)) ??
      nearestOf(path, this.flat.keys());
    this.refuse(path, source, 'is not a key of the configuration', meant);
  }

  environment(env: Readonly<Record<string, string | undefined>>): void {
    const paths = new Map([...this.flat.keys()].map((path) => [environmentName(path), path]));
    for (const [name, text] of Object.entries(env)) {
      if (!name.startsWith('TICKLINE_') || text === undefined || isForeign(name)) continue;
      // A Service named tickline-grpc makes TICKLINE_GRPC_PORT, which is a key's name too: its value tells.
      if (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text)) continue;
      const path = paths.get(name);
      if (path === undefined) {
        this.refuse(name, name, 'names no key of the configuration', nearestOf(name, paths.keys()));
      } else {
        this.setText(path, text, name);
      }
    }
  }

  commandLine(line: CommandLine): void {
    for (const [name, text] of line.settings) {
      const key = this.flat.get(name);
      const flag = flagName(name);
      if (key === undefined) {
        const meant = nearestOf(name, [...line.known, ...this.flat.keys()]);
        this.refuse(flag, flag, 'is not a flag', meant === null ? null : flagName(meant));
      } else if (key.secret) {
        this.refuse(
          name,
          flag,
          `must not be given on the command line, which every user of this machine can read: use ${environmentName(name)} or ${name}File`,
        );
      } else if (text === null && key.format.parse('true') !== true) {
        this.refuse(name, flag, 'needs a value');
      } else {
        this.setText(name, text ?? 'true', flag);
      }
    }
  }

  private setText(path: string, text: string, source: string): void {
    const key = this.flat.get(path)!;
    const exchange = /^exchanges\.([^.]+)\./.exec(path)?.[1];
    if (exchange !== undefined && isExchangeName(exchange)) this.exchanges.add(exchange);
    this.set(path, key, key.format.parse(text), source, null);
  }

  private refuse(key: string, source: string, problem: string, nearest: string | null = null): void {
    this.problems.push({ key, source, problem, nearest });
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A password that begins with `*`, `&` or `!` is an alias or a tag to YAML, which then names it. */
function withoutContent(reason: string): string {
  return /alias|anchor|tag/.test(reason) ? reason.replace(/["'<].*$/s, '…') : reason;
}

/** The system's word without the path, which the message has already. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'access is denied';
  if (code === 'EISDIR') return 'it is a folder';
  return error.message;
}
