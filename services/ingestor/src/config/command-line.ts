import type { ConfigProblem } from './config-error.ts';
import { nearestOf } from './format.ts';

/** Flags of one command besides the configuration: `switch` is there or not, `value` takes a value. */
export type CommandFlags = Readonly<Record<string, 'switch' | 'value'>>;

/** A command's arguments, taken apart but not yet judged by the keys of the configuration. */
export interface CommandLine {
  readonly help: boolean;
  /** `--config`, in order. */
  readonly files: readonly string[];
  /** Whatever else begins with `--`, by name without the dashes; null: given without a value. */
  readonly settings: ReadonlyMap<string, string | null>;
  /** The command's own flags; `switch` ones have the value `true`. */
  readonly flags: ReadonlyMap<string, string>;
  /** Names of the command's own flags, for hints. */
  readonly known: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads `--name=value` and `--name value`. `switches` are the configuration's true-or-false keys,
 * which stand alone (`--strict`) or take their value by `=`.
 */
export function parseCommandLine(
  argv: readonly string[],
  flags: CommandFlags,
  switches: ReadonlySet<string>,
): CommandLine {
  const files: string[] = [];
  const settings = new Map<string, string | null>();
  const own = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  const known = ['config', 'help', ...Object.keys(flags)];
  const refuse = (key: string, problem: string, nearest: string | null = null): void => {
    problems.push({ key, source: 'command line', problem, nearest });
  };
  let help = false;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    if (argument === '--help' || argument === '-h') {
      help = true;
      if (flags.help !== undefined) own.set('help', 'true');
      continue;
    }
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      const bare = argument.replace(/^-+/, '').split('=')[0]!;
      const meant = nearestOf(bare, known);
      refuse(argument.split('=')[0]!, 'is not a flag', meant === null ? null : `--${meant}`);
      continue;
    }
    const name = match[1]!;
    let value: string | null = match[2] ?? null;
    const kind = name === 'config' ? 'value' : flags[name];
    const standsAlone = kind === 'switch' || (kind === undefined && switches.has(name));
    if (value === null && !standsAlone) {
      const next = argv[at + 1];
      if (next !== undefined && !next.startsWith('--')) {
        value = next;
        at++;
      }
    }
    if (kind === 'switch') {
      if (value !== null) refuse(`--${name}`, 'takes no value');
      own.set(name, 'true');
    } else if (kind === 'value') {
      if (value === null || value === '') refuse(`--${name}`, 'needs a value');
      else if (name === 'config') files.push(value);
      else if (own.has(name)) refuse(`--${name}`, 'is given twice');
      else own.set(name, value);
    } else if (settings.has(name)) {
      refuse(`--${name}`, 'is given twice');
    } else {
      settings.set(name, value);
    }
  }
  return { help, files, settings, flags: own, known, problems };
}
