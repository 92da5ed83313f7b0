import { type Command, Option } from 'commander';
import { Cluster } from '../connection/cluster.ts';
import { type LoadedSettings, loadSettings } from '../connection/load-settings.ts';
import { Registry } from '../connection/registry.ts';
import { SETTING_KEYS } from '../connection/settings-keys.ts';
import { TopicSource } from '../reading/topic-source.ts';
import type { World } from './world.ts';

/** A command's options as commander has them, by attribute name. */
export type Options = Readonly<Record<string, unknown>>;

/** Adds the options that say how to reach brokers and registry; every command that connects has them. */
export function addConnectionOptions(command: Command): Command {
  const group =
    'Connection (also TICKLINE_KAFKA_BROKERS, …; the later wins: profile, --config, environment, flags):';
  const add = (option: Option): Command => command.addOption(option.helpGroup(group));
  add(new Option('--profile <name>', 'a named set of settings (TICKLINE_PROFILE)'));
  add(
    new Option(
      '--profile-file <file>',
      'where profiles are (TICKLINE_PROFILE_FILE; default ~/.config/tickline/profiles.yaml)',
    ),
  );
  add(
    new Option(
      '--config <file>',
      "the ingestor's own configuration: its sections kafka, registry, topics; may be repeated",
    )
      .default([] as string[], 'none')
      .argParser((file: string, files: string[]) => [...files, file]),
  );
  for (const { path, kind, doc } of SETTING_KEYS) {
    if (kind === 'secret') continue;
    // `--kafka.ssl.enabled` alone means true.
    add(new Option(kind === 'boolean' ? `--${path} [true|false]` : `--${path} <${kind}>`, doc));
  }
  return command;
}

/** The settings by a command's options. Throws SettingsError. */
export function settingsFrom(options: Options, env: World['env']): LoadedSettings {
  const flags: Record<string, string> = {};
  for (const { path } of SETTING_KEYS) {
    const value = options[path];
    if (value !== undefined) flags[path] = String(value);
  }
  return loadSettings({
    profile: textOrNull(options.profile),
    profileFile: textOrNull(options.profileFile),
    configFiles: options.config as string[],
    env,
    flags,
  });
}

/**
 * Ready to connect: the first question does. Whoever asks closes it; it is closed at once when the signal is aborted,
 * so that nobody waits for a broker that is silent.
 */
export function openSource(settings: LoadedSettings, signal: AbortSignal): TopicSource {
  const registry = settings.registry === null ? null : new Registry(settings.registry);
  const source = new TopicSource(new Cluster(settings.kafka), registry);
  signal.addEventListener('abort', () => void source.close());
  return source;
}

/** Opens the source, hands it to `use`, and closes it whatever happens. */
export async function withSource<T>(
  options: Options,
  world: World,
  use: (source: TopicSource) => Promise<T>,
): Promise<T> {
  const source = openSource(settingsFrom(options, world.env), world.signal);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
