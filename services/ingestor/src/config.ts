import { EXCHANGES, type ExchangeName } from '@tickline/schemas';
import { type CommandFlags, type CommandLine, parseCommandLine } from './config/command-line.ts';
import { ConfigError, type ConfigProblem } from './config/config-error.ts';
import { type AllExchangeDefaults, exchangeDefaults } from './config/exchange-defaults.ts';
import { readSecretFile, readSymbolsFile, UnusableFileError } from './config/files.ts';
import { flatKeys, type ValuesOf } from './config/key.ts';
import { configurationKeys, type ExchangeKeys, type Keys } from './config/keys.ts';
import { checkRules, oneEach } from './config/rules.ts';
import { collectSettings, type Settings } from './config/settings.ts';
import { type TlsFiles, tlsFileProblems } from './config/tls-files.ts';
import { readValues } from './config/values.ts';

export type { CommandFlags, CommandLine } from './config/command-line.ts';
export { ConfigError, type ConfigProblem, problemText } from './config/config-error.ts';
export type { AllExchangeDefaults, ExchangeDefaults } from './config/exchange-defaults.ts';
export { configHelp } from './config/help.ts';
export type { ExclusiveShard, Pin } from './config/keys.ts';
export { isPattern, symbolMatcher } from './config/symbol-pattern.ts';

/** Values as the keys hold them. The documentation of each is in `config/keys.ts`. */
type Values = ValuesOf<Keys>;

/**
 * One exchange's part. `symbols` holds those of `symbolsFile` too, and may hold patterns
 * ({@link symbolMatcher}). Limits without an end are Infinity.
 */
export type ExchangeConfig = ValuesOf<ExchangeKeys>;

/**
 * The configuration of a pod, checked. Times are in milliseconds, sizes in bytes; secrets that were
 * given as files have been read.
 */
export type Config = Omit<Values, 'exchanges'> & {
  readonly exchanges: Readonly<Partial<Record<ExchangeName, ExchangeConfig>>>;
};

/** Who owns what: `shard`, of which `index` is null where no pod is meant. */
export type ShardConfig = Config['shard'];
export type KafkaConfig = Config['kafka'];
export type RedisConfig = Config['redis'];
export type TopicsConfig = Config['topics'];
export type RegistryConfig = Config['registry'];

/** The configuration of all pods together: nobody said which shard it is for. */
export type FleetConfig = Omit<Config, 'shard'> & {
  readonly shard: Omit<ShardConfig, 'index'> & { readonly index: number | null };
};

/** Parts of the configuration that a command may need. */
export type Section = keyof Config;

const SECTIONS = [
  'shard',
  'exchanges',
  'kafka',
  'redis',
  'grpc',
  'topics',
  'registry',
  'status',
  'metrics',
  'log',
  'strict',
  'limitsSharedBy',
  'drainBudgetMs',
  'drainReportMs',
  'maxPauseMs',
  'invalidPerSecond',
  'plaintextHosts',
] as const satisfies readonly Section[];

type Environment = Readonly<Record<string, string | undefined>>;

/** Takes a command's arguments apart. `flags` are its own, besides those of the configuration. */
export function readCommandLine(argv: readonly string[], flags: CommandFlags = {}): CommandLine {
  const switches = [...flatKeys(configurationKeys(exchangeDefaults))]
    .filter(([, key]) => key.format.parse('true') === true)
    .map(([path]) => path);
  return parseCommandLine(argv, flags, new Set(switches));
}

/**
 * The configuration of a pod from files (`--config`, repeatable, later ones win; a folder stands
 * for its *.yaml), the environment (`TICKLINE_…`) over them, and the command line over both. Throws
 * a ConfigError with all that is wrong.
 */
export function loadConfig(
  argv: readonly string[] | CommandLine,
  env: Environment,
  defaults: AllExchangeDefaults = exchangeDefaults,
): Config {
  const line = 'settings' in argv ? argv : readCommandLine(argv);
  const config = load(line, env, defaults, new Set(SECTIONS), true);
  // With its index needed, a missing one was thrown.
  return config as Config;
}

/** The whole configuration without the need for a shard index: that of all pods. */
export function loadFleet(
  line: CommandLine,
  env: Environment,
  defaults: AllExchangeDefaults = exchangeDefaults,
): FleetConfig {
  return load(line, env, defaults, new Set(SECTIONS), false);
}

/**
 * Some sections only, for commands that need no more, and without the need for a shard index. What
 * is set elsewhere must be right all the same, but need not be complete.
 */
export function loadSections<const S extends Section>(
  line: CommandLine,
  env: Environment,
  sections: readonly S[],
  defaults: AllExchangeDefaults = exchangeDefaults,
): Pick<FleetConfig, S> {
  return load(line, env, defaults, new Set(sections), false);
}

function load(
  line: CommandLine,
  env: Environment,
  defaults: AllExchangeDefaults,
  sections: ReadonlySet<Section>,
  needsIndex: boolean,
): FleetConfig {
  const keys = configurationKeys(defaults);
  const settings = collectSettings(keys, line, env);
  const set = (path: string): unknown => settings.byKey.get(path)?.value;
  const withKafka = set('kafka.enabled') !== false;
  const withAvro =
    withKafka ||
    ['redis.streams', 'redis.pubsub'].some(
      (sink) => set(`${sink}.enabled`) === true && set(`${sink}.format`) === 'avro',
    );
  const isNeeded = (path: string): boolean =>
    (path !== 'kafka.brokers' || withKafka) &&
    (path !== 'registry.url' || withAvro) &&
    (path !== 'shard.index' || needsIndex) &&
    (sections as ReadonlySet<string>).has(path.split('.')[0]!);
  const { values, problems } = readValues(keys, settings.byKey, isNeeded);
  const all = [...settings.problems, ...problems];
  all.push(...checkRules(values, settings, sections, all));
  const files = new FileReader(settings, all);
  const config: FleetConfig = {
    ...values,
    exchanges: Object.fromEntries(
      EXCHANGES.filter((name) => settings.exchanges.has(name)).map((name) => [
        name,
        sections.has('exchanges') ? files.symbols(name, values.exchanges[name]) : values.exchanges[name],
      ]),
    ),
    kafka: sections.has('kafka') ? files.kafka(values.kafka) : values.kafka,
    redis: sections.has('redis') ? files.redis(values.redis) : values.redis,
    registry: sections.has('registry') ? files.registry(values.registry) : values.registry,
  };
  if (all.length > 0) throw new ConfigError(all);
  return config;
}

/** Puts the content of files in the place of keys that name them, and notes what can't be read. */
class FileReader {
  private readonly settings: Settings;
  private readonly problems: ConfigProblem[];

  constructor(settings: Settings, problems: ConfigProblem[]) {
    this.settings = settings;
    this.problems = problems;
  }

  symbols(name: ExchangeName, exchange: ExchangeConfig): ExchangeConfig {
    const { symbolsFile } = exchange;
    if (symbolsFile === null || exchange.symbols === null) return exchange;
    const key = `exchanges.${name}.symbolsFile`;
    const more = this.attempt(key, () => readSymbolsFile(symbolsFile)) ?? [];
    const symbols = [...exchange.symbols, ...more];
    oneEach(symbols, key, (at, problem) => this.refuse(at, problem));
    return { ...exchange, symbols };
  }

  kafka(kafka: KafkaConfig): KafkaConfig {
    const { sasl } = kafka;
    const keyPassphrase =
      kafka.ssl.keyPassphrase ?? this.secret('kafka.ssl.keyPassphraseFile', kafka.ssl.keyPassphraseFile);
    const ssl = { ...kafka.ssl, keyPassphrase };
    this.tls('kafka.ssl', ssl);
    return {
      ...kafka,
      ssl,
      sasl: {
        ...sasl,
        username: sasl.username ?? this.secret('kafka.sasl.usernameFile', sasl.usernameFile),
        password: sasl.password ?? this.secret('kafka.sasl.passwordFile', sasl.passwordFile),
      },
    };
  }

  redis(redis: RedisConfig): RedisConfig {
    const { tls, sentinel } = redis;
    this.tls('redis.tls', tls);
    return {
      ...redis,
      password: redis.password ?? this.secret('redis.passwordFile', redis.passwordFile),
      sentinel: {
        ...sentinel,
        password: sentinel.password ?? this.secret('redis.sentinel.passwordFile', sentinel.passwordFile),
      },
    };
  }

  registry(registry: RegistryConfig): RegistryConfig {
    this.tls('registry', { caFile: registry.caFile, certFile: null, keyFile: null });
    return {
      ...registry,
      username: registry.username ?? this.secret('registry.usernameFile', registry.usernameFile),
      password: registry.password ?? this.secret('registry.passwordFile', registry.passwordFile),
    };
  }

  private secret(key: string, path: string | null): string | null {
    return path === null ? null : this.attempt(key, () => readSecretFile(path));
  }

  private tls(section: string, files: TlsFiles): void {
    for (const { name, problem } of tlsFileProblems(files)) {
      const key = `${section}.${name}`;
      // One problem of a key is enough: that nothing asks for the file comes before what is in it.
      if (!this.problems.some((known) => known.key === key)) this.refuse(key, problem);
    }
  }

  private attempt<T>(key: string, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UnusableFileError)) throw error;
      this.refuse(key, error.message);
      return null;
    }
  }

  private refuse(key: string, problem: string): void {
    this.problems.push({ key, source: this.settings.byKey.get(key)?.source ?? null, problem, nearest: null });
  }
}

/** What stands in the place of a secret wherever a configuration is shown. */
export const REDACTED = '(secret)';

/** The keys that hold secrets, in whatever section, as names from the outside in. */
const SECRET_KEYS: readonly (readonly string[])[] = [...flatKeys(configurationKeys(exchangeDefaults))]
  .filter(([, key]) => key.secret)
  .map(([path]) => path.split('.'));

/** Every secret that a configuration holds: what no log, status or error may show. */
export function secretsOf(config: object): string[] {
  return SECRET_KEYS.map((names) => names.reduce<unknown>(memberOf, config)).filter(
    (value) => typeof value === 'string',
  );
}

/** The configuration without its secrets, for logs and for people. */
export function redact<C extends object>(config: C): C {
  return SECRET_KEYS.reduce<C>(hidden, config);
}

function hidden<T>(node: T, [name = '', ...inner]: readonly string[]): T {
  const member = memberOf(node, name);
  if (member === undefined || member === null) return node;
  return { ...node, [name]: inner.length === 0 ? REDACTED : hidden(member, inner) };
}

function memberOf(node: unknown, name: string): unknown {
  return typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined;
}

/** By how many pods the exchanges' limits per public address are divided. */
export function limitsSharedBy(config: Pick<FleetConfig, 'limitsSharedBy' | 'shard'>): number {
  return config.limitsSharedBy ?? Math.max(config.shard.count, config.shard.previousCount ?? 0);
}
