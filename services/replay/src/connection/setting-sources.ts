import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { nearestNames } from '../output/nearest.ts';
import { reasonOf } from './file-reason.ts';
import { SettingsError } from './settings-error.ts';
import {
  ALL_KEYS,
  environmentName,
  SETTING_KEYS,
  type SettingKey,
  type SettingKind,
} from './settings-keys.ts';

/** Where settings come from; the later in this list win. */
export interface SettingSources {
  /** A named set of a profile file; null: the file's default, if there is a file. */
  readonly profile: string | null;
  /** Null: `~/.config/tickline/profiles.yaml`, or `$XDG_CONFIG_HOME/tickline/profiles.yaml`. */
  readonly profileFile: string | null;
  /** The ingestor's own configuration files; of them the sections kafka, registry and topics are read. */
  readonly configFiles: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By dotted key. */
  readonly flags: Readonly<Record<string, string>>;
}

/** A value and who set it, for messages. */
export interface Setting {
  readonly value: unknown;
  readonly source: string;
}

type Json = Readonly<Record<string, unknown>>;

/** The default place of profiles. */
function defaultProfileFile(env: SettingSources['env']): string {
  const base = env.XDG_CONFIG_HOME;
  return join(
    base === undefined || base === '' ? join(homedir(), '.config') : base,
    'tickline',
    'profiles.yaml',
  );
}

/** What each source sets, by dotted key, the winner with its name; unchecked. Throws SettingsError. */
export function collectSettings(sources: SettingSources): Map<string, Setting> {
  const set = new Map<string, Setting>();
  fromProfile(sources, set);
  for (const file of sources.configFiles) fromConfiguration(file, set);
  for (const { path, kind } of SETTING_KEYS) {
    const name = environmentName(path);
    const text = sources.env[name];
    if (text !== undefined) set.set(path, { value: fromText(kind, text), source: name });
  }
  for (const [path, text] of Object.entries(sources.flags)) {
    const key = SETTING_KEYS.find((each) => each.path === path)!;
    set.set(path, { value: fromText(key.kind, text), source: `--${path}` });
  }
  return set;
}

/** Text of a variable or a flag, as YAML would hold the value; what does not fit is left for the check. */
function fromText(kind: SettingKind, text: string): unknown {
  if (kind === 'list') {
    return text
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  }
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return kind === 'milliseconds' && /^\d+$/.test(text) ? Number(text) : text;
}

function fromProfile(sources: SettingSources, set: Map<string, Setting>): void {
  const named = sources.profileFile ?? sources.env.TICKLINE_PROFILE_FILE ?? null;
  const file = named ?? defaultProfileFile(sources.env);
  const wanted = sources.profile ?? sources.env.TICKLINE_PROFILE ?? null;
  let document: Json;
  try {
    document = readYaml(file);
  } catch (error) {
    // Nobody need have profiles; who asks for one does.
    if (named === null && wanted === null && (error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new SettingsError(`the profile file ${file} (--profile-file) ${reasonOf(error)}`);
  }
  const unknown = Object.keys(document).find((name) => name !== 'default' && name !== 'profiles');
  if (unknown !== undefined) {
    throw new SettingsError(
      `${file}: ${unknown} is not a key of a profile file: it has default and profiles`,
    );
  }
  const profiles = isMapping(document.profiles) ? document.profiles : {};
  const name = wanted ?? (typeof document.default === 'string' ? document.default : null);
  if (name === null) return;
  if (!Object.hasOwn(profiles, name)) {
    const known = Object.keys(profiles);
    const [nearest] = nearestNames(name, known);
    throw new SettingsError(
      `${file} has no profile ${name} (${wanted === null ? 'default' : '--profile'}): ${nearest === undefined ? `it has ${known.join(', ') || 'none'}` : `did you mean ${nearest}?`}`,
    );
  }
  const paths = SETTING_KEYS.map(({ path }) => path);
  for (const [path, value] of leaves(profiles[name])) {
    const key = SETTING_KEYS.find((each) => each.path === path);
    const source = `${file}, profile ${name}`;
    if (key === undefined) {
      const [nearest] = nearestNames(path, paths);
      throw new SettingsError(
        `${source}: ${path} is not a setting of the connection${nearest === undefined ? '' : `: did you mean ${nearest}?`}`,
      );
    }
    if (key.kind === 'secret') {
      throw new SettingsError(
        `${source}: ${path} must not be in a profile: use ${path}File or ${environmentName(path)}`,
      );
    }
    set.set(path, { value: ofFolder(key, value, file), source });
  }
}

/** The ingestor checks its own file; what is not about the connection is none of ours. */
function fromConfiguration(file: string, set: Map<string, Setting>): void {
  let document: Json;
  try {
    document = readYaml(file);
  } catch (error) {
    throw new SettingsError(`the configuration ${file} (--config) ${reasonOf(error)}`);
  }
  for (const [path, value] of leaves(document)) {
    const key = ALL_KEYS.find((each) => each.path === path);
    // The name by which brokers know the ingestor is not ours.
    if (key !== undefined && path !== 'kafka.clientId')
      set.set(path, { value: ofFolder(key, value, file), source: file });
  }
}

/** A path in a file is relative to that file's folder. */
function ofFolder({ kind }: SettingKey, value: unknown, file: string): unknown {
  const isRelative = kind === 'path' && typeof value === 'string' && value !== '' && !isAbsolute(value);
  return isRelative ? join(dirname(resolve(file)), value) : value;
}

function readYaml(file: string): Json {
  const documents: unknown[] = loadAll(readFileSync(file, 'utf8'), { filename: file });
  const document = documents[0] ?? {};
  if (documents.length > 1) throw new Error('holds more than one YAML document');
  if (!isMapping(document)) throw new Error('must be a mapping');
  return document;
}

/** Values by dotted path; null takes a value back and is left out. */
function* leaves(value: unknown, at = ''): Generator<[string, unknown]> {
  if (value === null || value === undefined) return;
  if (!isMapping(value)) {
    yield [at, value];
    return;
  }
  for (const [name, inner] of Object.entries(value)) yield* leaves(inner, at === '' ? name : `${at}.${name}`);
}

function isMapping(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
