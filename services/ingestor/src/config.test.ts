import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchangeDefaults } from './config/exchange-defaults.ts';
import { environmentName, flatKeys } from './config/key.ts';
import { configurationKeys } from './config/keys.ts';
import {
  type Config,
  ConfigError,
  type ConfigProblem,
  configHelp,
  limitsSharedBy,
  loadConfig,
  loadSections,
  readCommandLine,
  redact,
  secretsOf,
} from './config.ts';

const COMPLETE = `
shard: { index: 1, count: 4 }
exchanges:
  binance: { symbols: [BTC-USDT, ETH-USDT] }
kafka: { brokers: [localhost:9092] }
registry: { url: http://localhost:8081 }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Loads the complete configuration, this YAML over it, and what else is given. */
function load(yaml: string, argv: readonly string[] = [], env: Record<string, string> = {}): Config {
  const base = file('base.yaml', COMPLETE);
  return loadConfig(['--config', base, '--config', file('own.yaml', yaml), ...argv], env);
}

function problemsOf(run: () => unknown): readonly ConfigProblem[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The only problem of a configuration. */
function refused(
  yaml: string,
  argv: readonly string[] = [],
  env: Record<string, string> = {},
): ConfigProblem {
  const problems = problemsOf(() => load(yaml, argv, env));
  expect(problems).toHaveLength(1);
  return problems[0]!;
}

describe('loadConfig', () => {
  it('fills in the defaults, those of the exchange from its own data', () => {
    const config = load('');
    expect(config.shard).toMatchObject({ index: 1, count: 4, previousCount: null, pins: [], exclusive: [] });
    expect(Object.keys(config.exchanges)).toEqual(['binance']);
    expect(config.exchanges.binance).toMatchObject({
      symbols: ['BTC-USDT', 'ETH-USDT'],
      channels: ['trades', 'quotes'],
      limits: exchangeDefaults.binance.limits,
      endpoints: exchangeDefaults.binance.endpoints,
      heartbeat: { timeoutMs: 30_000, checkEveryMs: 5000 },
      permessageDeflate: false,
    });
    expect(config.topics.partitions).toBe(12);
    expect(config.kafka.topicPrefix).toBe('md.');
  });

  it('lets the environment win over files, and the command line over both', () => {
    const yaml = 'log: {level: error}\nkafka: {clientId: a}\nstrict: false';
    const env = { TICKLINE_LOG_LEVEL: 'warn', TICKLINE_KAFKA_CLIENT_ID: 'b' };
    const config = load(yaml, ['--log.level=debug', '--strict'], env);
    expect(config.log.level).toBe('debug');
    expect(config.kafka.clientId).toBe('b');
    expect(config.strict).toBe(true);
  });

  it('lets later files win: mappings are joined, lists replaced, null takes back', () => {
    const first = file('1.yaml', 'kafka: {clientId: a, lingerMs: 7}\nexchanges: {okx: {symbols: [A-B]}}');
    const second = file(
      '2.yaml',
      'kafka: {clientId: b, lingerMs: null}\nexchanges: {binance: {symbols: [SOL-USDT]}, okx: null}',
    );
    const config = loadConfig(
      ['--config', file('0.yaml', COMPLETE), `--config=${first}`, '--config', second],
      {},
    );
    expect(config.kafka).toMatchObject({ clientId: 'b', lingerMs: 5 });
    expect(config.exchanges.binance?.symbols).toEqual(['SOL-USDT']);
    expect(config.exchanges.okx).toBeUndefined();
  });

  it('takes all YAML files of a folder in order', () => {
    mkdirSync(join(folder, 'd'));
    file('d/10-base.yaml', COMPLETE);
    file('d/20-more.yaml', 'log: {level: warn}');
    file('d/15-less.yaml', 'log: {level: debug}');
    file('d/notes.txt', 'nothing: [');
    expect(loadConfig(['--config', join(folder, 'd')], {}).log.level).toBe('warn');
    expect(loadConfig([], { TICKLINE_CONFIG: join(folder, 'd') }).log.level).toBe('warn');
  });

  it('runs from the environment alone', () => {
    const config = loadConfig([], {
      TICKLINE_SHARD_INDEX: '0',
      TICKLINE_SHARD_COUNT: '2',
      TICKLINE_EXCHANGES_BYBIT_SPOT_SYMBOLS: 'BTC-USDT, *-USDC',
      TICKLINE_EXCHANGES_BYBIT_SPOT_LIMITS_TOPICS_PER_CONNECTION: '10',
      TICKLINE_KAFKA_BROKERS: 'a:9092,b:9092',
      TICKLINE_REGISTRY_URL: 'https://registry/',
      TICKLINE_KAFKA_QUEUE_BYTES: '64MiB',
      TICKLINE_DRAIN_BUDGET_MS: '10s',
      TICKLINE_SHARD_PINS: '[{"unit": "okx:BTC-USDT", "shard": 1}]',
    });
    expect(config.exchanges['bybit-spot']?.symbols).toEqual(['BTC-USDT', '*-USDC']);
    expect(config.exchanges['bybit-spot']?.limits.topicsPerConnection).toBe(10);
    expect(config.kafka.brokers).toEqual(['a:9092', 'b:9092']);
    expect(config.kafka.queueBytes).toBe(64 * 1024 * 1024);
    expect(config.registry.url).toBe('https://registry');
    expect(config.drainBudgetMs).toBe(10_000);
    expect(config.shard.pins).toEqual([{ unit: 'okx:BTC-USDT', shard: 1 }]);
  });

  it('takes the round figures that people quote', () => {
    const config = load(`
exchanges:
  binance: {limits: {topicsPerConnection: 1024}}
  bybit-spot: {symbols: ['*'], limits: {topicsPerConnection: 10, topicsPerRequest: 10}}
  okx: {symbols: ['*'], limits: {topicsPerConnection: 240}}`);
    expect(config.exchanges.binance?.limits.topicsPerConnection).toBe(1024);
    expect(config.exchanges['bybit-spot']?.limits.topicsPerConnection).toBe(10);
    expect(config.exchanges.okx?.limits.topicsPerConnection).toBe(240);
  });

  it('adds the symbols of a file, named relative to the configuration file', () => {
    mkdirSync(join(folder, 'lists'));
    file('lists/all.txt', '# ours\nSOL-USDT\n\n币安人生-USDT # by its own name\n');
    const config = load('exchanges: {binance: {symbolsFile: lists/all.txt}}');
    expect(config.exchanges.binance?.symbols).toEqual(['BTC-USDT', 'ETH-USDT', 'SOL-USDT', '币安人生-USDT']);
    file('lists/all.txt', '["A-B", "C-D"]');
    expect(load('exchanges: {okx: {symbolsFile: lists/all.txt}}').exchanges.okx?.symbols).toEqual([
      'A-B',
      'C-D',
    ]);
  });

  it('reads secrets from files, without the line end', () => {
    file('user', 'tick\n');
    file('password', 'line one\n');
    const config = load(
      'kafka: {ssl: {enabled: true}, sasl: {mechanism: scram-sha-512, usernameFile: user, passwordFile: password}}',
    );
    expect(config.kafka.sasl).toMatchObject({ username: 'tick', password: 'line one' });
  });

  it('knows infinite limits as none', () => {
    const config = load(
      'exchanges: {binance: {limits: {messagesPerHour: none}, dataSilenceMs: {trades: none, quotes: 2m}}}\ntopics: {retention: {trades: {ms: none}}}',
    );
    expect(config.exchanges.binance?.limits.messagesPerHour).toBe(Number.POSITIVE_INFINITY);
    expect(config.exchanges.binance?.dataSilenceMs).toEqual({
      trades: Number.POSITIVE_INFINITY,
      quotes: 120_000,
    });
    expect(config.topics.retention.trades.ms).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets pods of the larger count run while the count changes', () => {
    const config = load('shard: {index: 5, count: 4, previousCount: 6}');
    expect(config.shard.index).toBe(5);
    expect(limitsSharedBy(config)).toBe(6);
    expect(limitsSharedBy(load('limitsSharedBy: 2'))).toBe(2);
    expect(limitsSharedBy(load(''))).toBe(4);
  });
});

describe('refusals', () => {
  it('names every problem at once, with key, source and the nearest valid value', () => {
    const base = file(
      'a.yaml',
      'shard: {index: 9, count: 8}\nexchanges: {binanse: {symbols: [BTC-USDT]}}\nlog: {level: debgu}',
    );
    const run = () => loadConfig(['--config', base, '--kafka.broker=x'], { TICKLINE_METRIC_PORT: '1' });
    expect(problemsOf(run).map(({ key, source, nearest }) => [key, source, nearest])).toEqual(
      [
        ['exchanges.binanse', base, 'binance'],
        ['TICKLINE_METRIC_PORT', 'TICKLINE_METRIC_PORT', 'TICKLINE_METRICS_PORT'],
        ['--kafka.broker', '--kafka.broker', '--kafka.brokers'],
        ['log.level', base, 'debug'],
        ['kafka.brokers', null, null],
        ['registry.url', null, null],
        ['shard.index', base, '7'],
      ].sort(byOrderOf(problemsOf(run))),
    );
    expect(run).toThrow(/a\.yaml: exchanges\.binanse .*Did you mean binance\?/);
    expect(run).toThrow(/kafka\.brokers is not set.*TICKLINE_KAFKA_BROKERS/);
  });

  it('has no default shard', () => {
    const yaml = file('none.yaml', COMPLETE.replace(/^shard.*$/m, ''));
    const keys = problemsOf(() => loadConfig(['--config', yaml], {})).map(({ key }) => key);
    expect(keys).toEqual(['shard.index', 'shard.count']);
  });

  it.each([
    ['an unknown key', 'kafka: {compresion: zstd}', 'kafka.compresion', 'compression'],
    ['a key in the wrong section', 'brokers: [a:1]', 'brokers', 'kafka.brokers'],
    ['an unknown exchange', 'exchanges: {krakken: {symbols: [A-B]}}', 'exchanges.krakken', 'kraken'],
    ['text for a number', 'topics: {partitions: twelve}', 'topics.partitions', null],
    ['quoted digits for a number', 'topics: {partitions: "12"}', 'topics.partitions', '12'],
    ['a fraction for a whole number', 'topics: {partitions: 12.4}', 'topics.partitions', '12'],
    ['yes for true', 'strict: yes', 'strict', 'true'],
    ['text for a list', 'kafka: {brokers: a:9092}', 'kafka.brokers', null],
    ['a mapping for a value', 'kafka: {clientId: {a: 1}}', 'kafka.clientId', null],
    ['a value for a section', 'kafka: yes', 'kafka', null],
    [
      'an unknown channel',
      'exchanges: {binance: {channels: [trade]}}',
      'exchanges.binance.channels',
      'trades',
    ],
    ['a broker without a port', 'kafka: {brokers: [kafka-0]}', 'kafka.brokers', 'kafka-0:9092'],
    ['an unknown unit of size', 'kafka: {queueBytes: 64MB}', 'kafka.queueBytes', '64MiB'],
    ['an index out of range', 'shard: {index: 4}', 'shard.index', '3'],
    ['a pin out of range', 'shard: {pins: [{unit: "binance:BTC-USDT", shard: 4}]}', 'shard.pins', '3'],
    [
      'a pin of an unknown exchange',
      'shard: {pins: [{unit: "binanc:BTC-USDT", shard: 1}]}',
      'shard.pins',
      'binance:BTC-USDT',
    ],
    ['a pin without a shard', 'shard: {pins: [{unit: "binance:BTC-USDT"}]}', 'shard.pins', null],
    [
      'a misspelt part of a pin',
      'shard: {pins: [{unit: "binance:BTC-USDT", shart: 1}]}',
      'shard.pins',
      'shard',
    ],
    [
      'a unit that is pinned twice',
      'shard: {pins: [{unit: "okx:A-B", shard: 1}, {unit: "okx:A-B", shard: 2}]}',
      'shard.pins',
      null,
    ],
    [
      'a unit both pinned and exclusive',
      'shard: {exclusive: [{shard: 1, units: ["okx:A-B"]}], pins: [{unit: "okx:A-B", shard: 2}]}',
      'shard.pins',
      null,
    ],
    [
      'a pin to an exclusive shard',
      'shard: {exclusive: [{shard: 1, units: []}], pins: [{unit: "okx:A-B", shard: 1}]}',
      'shard.pins',
      null,
    ],
    [
      'nothing but exclusive shards',
      'shard: {index: 0, count: 1, exclusive: [{shard: 0, units: []}]}',
      'shard.exclusive',
      null,
    ],
    ['former pins without a former count', 'shard: {previousPins: []}', 'shard.previousPins', null],
    ['no symbols', 'exchanges: {binance: {symbols: []}}', 'exchanges.binance.symbols', null],
    ['an exchange with nothing said', 'exchanges: {okx: {}}', 'exchanges.okx.symbols', null],
    [
      'a symbol twice',
      'exchanges: {binance: {symbols: [BTC-USDT, BTC-USDT]}}',
      'exchanges.binance.symbols',
      null,
    ],
    [
      'two symbols that are one',
      'exchanges: {binance: {symbols: [BTC-USDT, btc-usdt]}}',
      'exchanges.binance.symbols',
      null,
    ],
    [
      "an exchange's own name",
      'exchanges: {kraken: {symbols: [BTC/USD]}}',
      'exchanges.kraken.symbols',
      'BTC-USD',
    ],
    [
      'a limit above the documented one',
      'exchanges: {binance: {limits: {topicsPerConnection: 1025}}}',
      'exchanges.binance.limits.topicsPerConnection',
      '1024',
    ],
    [
      'a documented limit taken away',
      'exchanges: {bybit-spot: {symbols: ["*"], limits: {topicsPerRequest: none}}}',
      'exchanges.bybit-spot.limits.topicsPerRequest',
      null,
    ],
    [
      'a wrong scheme',
      'exchanges: {okx: {symbols: ["*"], endpoints: {websocket: "https://ws.okx.com"}}}',
      'exchanges.okx.endpoints.websocket',
      'wss://ws.okx.com',
    ],
    [
      'an unencrypted socket',
      'exchanges: {okx: {symbols: ["*"], endpoints: {websocket: "ws://ws.okx.com"}}}',
      'exchanges.okx.endpoints.websocket',
      'wss://ws.okx.com',
    ],
    [
      'an unencrypted registry',
      'registry: {url: "http://registry:8081"}',
      'registry.url',
      'https://registry:8081',
    ],
    ['a status server for others', 'status: {host: 0.0.0.0}', 'status.host', '127.0.0.1'],
    ['two servers on one port', 'status: {port: 9000}\nmetrics: {port: 9000}', 'status.port', '9001'],
    [
      'more in-sync copies than copies',
      'topics: {replication: 2, minInsyncReplicas: 3}',
      'topics.minInsyncReplicas',
      '1',
    ],
    ['batches that a topic refuses', 'kafka: {batchBytes: 2MiB}', 'kafka.batchBytes', '1048576'],
    [
      'a ping after the timeout',
      'exchanges: {binance: {heartbeat: {pingAfterMs: 30s}}}',
      'exchanges.binance.heartbeat.pingAfterMs',
      null,
    ],
    [
      'a check after the timeout',
      'exchanges: {binance: {heartbeat: {checkEveryMs: 31s}}}',
      'exchanges.binance.heartbeat.checkEveryMs',
      null,
    ],
    [
      'a login without a password',
      'kafka: {ssl: {enabled: true}, sasl: {mechanism: plain, username: a}}',
      'kafka.sasl.passwordFile',
      null,
    ],
    ['a user without a mechanism', 'kafka: {sasl: {username: a}}', 'kafka.sasl.mechanism', 'scram-sha-512'],
    ['certificates without TLS', 'kafka: {ssl: {caFile: base.yaml}}', 'kafka.ssl.caFile', null],
    [
      'a certificate without its key',
      'kafka: {ssl: {enabled: true, certFile: base.yaml}}',
      'kafka.ssl.certFile',
      null,
    ],
    ['a file that is not there', 'registry: {caFile: none.pem}', 'registry.caFile', null],
    [
      'a symbol list that is not there',
      'exchanges: {binance: {symbolsFile: none.txt}}',
      'exchanges.binance.symbolsFile',
      null,
    ],
    [
      'an empty password file',
      'registry: {username: a, passwordFile: own.yaml.empty}',
      'registry.passwordFile',
      null,
    ],
  ])('%s', (_, yaml, key, nearest) => {
    file('own.yaml.empty', '\n');
    const problem = refused(yaml);
    expect(problem).toMatchObject({ key, nearest });
    if (problem.source !== null) expect(problem.source).toBe(join(folder, 'own.yaml'));
  });

  it('allows plain addresses to this machine, and to hosts that are named', () => {
    load('registry: {url: "http://127.0.0.1:8081"}');
    load('registry: {url: "http://[::1]:8081"}');
    load('plaintextHosts: [registry]\nregistry: {url: "http://registry:8081"}');
    expect(refused('registry: {url: "http://127.0.0.1.example.com"}').key).toBe('registry.url');
  });

  it('refuses a plain password over an unencrypted connection', () => {
    const yaml = 'kafka: {brokers: ["kafka:9092"], sasl: {mechanism: plain, username: a, password: b}}';
    expect(refused(yaml)).toMatchObject({ key: 'kafka.sasl.mechanism', nearest: 'scram-sha-512' });
    load(`${yaml}\nplaintextHosts: [kafka]`);
  });

  it('refuses secrets on the command line, and does not repeat them', () => {
    for (const argv of [['--registry.password=hunter2'], ['--kafka.sasl.password', 'hunter2']]) {
      const problems = problemsOf(() => load('', argv));
      const problem = problems.find(({ key }) => key === argv[0]!.slice(2).split('=')[0]);
      expect(problem?.problem).toContain('command line');
      expect(JSON.stringify(problems)).not.toContain('hunter2');
    }
  });

  it.each([
    'registry: {url: "https://user:hunter2@registry"}',
    'kafka: {brokers: ["user:hunter2@kafka:9092"]}',
    'registry: {username: a, password: [hunter2]}',
    'registry: {username: a, password: {hunter2: 1}}',
    'registry: {username: a, password: *hunter2}',
    'registry: {username: a, password: !hunter2 x}',
    'registry: {username: a, password: "hunter2}',
  ])('does not repeat a secret in: %s', (yaml) => {
    const problem = refused(yaml);
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('says where a file is not YAML', () => {
    const problem = refused('log: {level: info}\nkafka: [');
    expect(problem.source).toBe(join(folder, 'own.yaml'));
    expect(problem.problem).toMatch(/is not YAML: .*line \d+/);
    expect(refused('a: 1\n---\nb: 2').problem).toContain('more than one');
    expect(refused('strict: true\nstrict: false').problem).toMatch(/duplicat/);
  });

  it('refuses a file that is not there, an empty folder, and words that are no flags', () => {
    const keys = problemsOf(() =>
      load('', ['--config', join(folder, 'none.yaml'), 'extra', '-x', '--strict=maybe']),
    );
    expect(keys.map(({ key, source }) => [key, source])).toEqual([
      ['extra', 'command line'],
      ['-x', 'command line'],
      ['', join(folder, 'none.yaml')],
      ['strict', '--strict'],
    ]);
    mkdirSync(join(folder, 'empty'));
    expect(refused('', ['--config', join(folder, 'empty')]).problem).toContain('without *.yaml');
    expect(refused('', ['--config']).problem).toBe('needs a value');
    expect(refused('', ['--log.level']).problem).toBe('needs a value');
    expect(refused('', ['--log.level=warn', '--log.level=info']).problem).toBe('is given twice');
  });

  it('wants somewhere for the ticks to go, and asks for Kafka and the registry only where they are used', () => {
    const bare = (yaml: string) => [
      '--config',
      file(
        'bare.yaml',
        `shard: { index: 0, count: 1 }\nexchanges: { binance: { symbols: [BTC-USDT] } }\n${yaml}`,
      ),
    ];
    const keysOf = (yaml: string) => problemsOf(() => loadConfig(bare(yaml), {})).map(({ key }) => key);
    expect(keysOf('')).toEqual(['kafka.brokers', 'registry.url']);
    expect(keysOf('kafka: { enabled: false }')).toEqual(['kafka.enabled']);
    expect(keysOf('kafka: { enabled: false }\ngrpc: { enabled: true }')).toEqual([]);
    const redis = (format: string) =>
      `kafka: { enabled: false }\nredis: { addresses: ["localhost:6379"], streams: { enabled: true, format: ${format} } }`;
    expect(keysOf(redis('json'))).toEqual([]);
    expect(keysOf(redis('avro'))).toEqual(['registry.url']);
  });

  it('leaves alone what Kubernetes and others put into the environment', () => {
    load('', [], {
      TICKLINE_PORT: 'tcp://10.0.0.1:9464',
      TICKLINE_GRPC_PORT: 'tcp://10.0.0.1:9090',
      TICKLINE_SERVICE_HOST: '10.0.0.1',
      TICKLINE_SERVICE_PORT_METRICS: '9464',
      TICKLINE_PORT_9464_TCP_ADDR: '10.0.0.1',
      TICKLINE_REPLAY_PORT_80_TCP: 'tcp://10.0.0.1:80',
      TICKLINE_CAPTURES: '../captures',
      TICKLINE_SIDECAR_PORT: '1',
      PATH: '/bin',
    });
  });
});

describe('whatever a file holds', () => {
  const paths = [...flatKeys(configurationKeys(exchangeDefaults)).keys()];

  /** Loads, and lets pass a ConfigError only. */
  function judged(yaml: string): boolean {
    try {
      load(yaml);
      return true;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  }

  it('is taken or refused with a ConfigError, never a fault', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => void judged(JSON.stringify(value))),
      { numRuns: 50 },
    );
  });

  it('is judged key by key, whatever the value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const tree = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
        judged(JSON.stringify(tree));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    '{"toString": 0}',
    '[{"toString": 0}]',
    '[[{"toString": 0}]]',
    '{"a": {"toString": 0}}',
    '[{"valueOf": 0, "toString": 0}]',
  ])('is judged where %s stands for any key', (value) => {
    for (const path of paths) {
      const tree = path.split('.').reduceRight((inner, name) => `{"${name}": ${inner}}`, value);
      expect(judged(tree)).toBe(false);
    }
  });

  it.each(['__proto__: {a: 1}', 'constructor: {prototype: {a: 1}}', 'kafka: {__proto__: {clientId: x}}'])(
    'refuses %s',
    (yaml) => expect(judged(yaml)).toBe(false),
  );
});

describe('loadSections', () => {
  it('needs only what it is asked for, and no shard index', () => {
    const yaml = file('shards.yaml', 'shard: {count: 3}\nexchanges: {okx: {symbols: ["*"]}}');
    const { shard } = loadSections(readCommandLine(['--config', yaml]), {}, ['shard', 'exchanges']);
    expect(shard).toMatchObject({ index: null, count: 3 });
    const keys = problemsOf(() =>
      loadSections(readCommandLine(['--config', yaml]), {}, ['kafka', 'registry']),
    );
    expect(keys.map(({ key }) => key)).toEqual(['kafka.brokers', 'registry.url']);
  });

  it("knows a command's own flags", () => {
    const line = readCommandLine(['--json', '--out', 'a.yaml', '--strict', '--log.level', 'warn'], {
      json: 'switch',
      out: 'value',
    });
    expect([...line.flags]).toEqual([
      ['json', 'true'],
      ['out', 'a.yaml'],
    ]);
    expect([...line.settings]).toEqual([
      ['strict', null],
      ['log.level', 'warn'],
    ]);
    expect(line.problems).toEqual([]);
    expect(readCommandLine(['--json=1'], { json: 'switch' }).problems[0]?.problem).toBe('takes no value');
  });
});

describe('redact', () => {
  it('shows no secret', () => {
    const env = {
      TICKLINE_KAFKA_SASL_PASSWORD: 'hunter2',
      TICKLINE_REGISTRY_PASSWORD: 'hunter3',
      TICKLINE_REDIS_PASSWORD: 'hunter4',
    };
    const config = load(
      'kafka: {sasl: {mechanism: scram-sha-512, username: a}}\nregistry: {username: a}\nredis: {addresses: ["127.0.0.1:6379"], streams: {enabled: true}}',
      [],
      env,
    );
    expect(config.kafka.sasl.password).toBe('hunter2');
    expect(JSON.stringify(redact(config))).not.toMatch(/hunter/);
    expect(redact(config).kafka.sasl.password).toBe('(secret)');
    expect(redact(load('')).registry.password).toBeNull();
    expect(secretsOf(config).sort()).toEqual(['hunter2', 'hunter3', 'hunter4']);
  });
});

describe('configHelp', () => {
  it('explains every key with its variable and flag', () => {
    const help = configHelp();
    for (const [path, key] of flatKeys(configurationKeys(exchangeDefaults))) {
      expect(help).toContain(key.doc);
      if (!path.startsWith('exchanges.')) expect(help).toContain(environmentName(path));
    }
    expect(help).toContain('TICKLINE_EXCHANGES_<EXCHANGE>_LIMITS_TOPICS_PER_CONNECTION');
  });

  it('has a variable of its own for each key', () => {
    const paths = [...flatKeys(configurationKeys(exchangeDefaults)).keys()];
    expect(new Set(paths.map(environmentName)).size).toBe(paths.length);
  });
});

/** Puts expected problems in the order in which they are reported, which is not what is tested. */
function byOrderOf(problems: readonly ConfigProblem[]) {
  const at = (key: unknown): number => problems.findIndex((problem) => problem.key === key);
  return (a: readonly unknown[], b: readonly unknown[]): number => at(a[0]) - at(b[0]);
}
