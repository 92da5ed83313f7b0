import type { ExchangeName } from '@tickline/schemas';
import type { ConfigProblem } from './config-error.ts';
import { isLoopback } from './domain-formats.ts';
import { checkGrpc } from './grpc-rules.ts';
import type { ValuesOf } from './key.ts';
import type { ExclusiveShard, Keys, Pin } from './keys.ts';
import { checkRedis } from './redis-rules.ts';
import type { Settings } from './settings.ts';

/** Values before the exchanges that nobody mentions are left out; null where a key is wrong. */
export type Values = ValuesOf<Keys>;

/** Whether somebody set a key, be it wrongly. */
type IsSet = (key: string) => boolean;

type Refuse = (key: string, problem: string, nearest?: string | null) => void;

/** What no key can know alone: how values fit each other. `known` are the problems found so far, not to be told twice. */
export function checkRules(
  values: Values,
  settings: Settings,
  sections: ReadonlySet<string>,
  known: readonly ConfigProblem[],
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const wrong = new Set(known.map(({ key }) => key));
  const isSet: IsSet = (key) => settings.byKey.has(key) || wrong.has(key);
  const refuse: Refuse = (key, problem, nearest = null) => {
    problems.push({ key, source: settings.byKey.get(key)?.source ?? null, problem, nearest });
  };
  if (sections.has('shard')) shards(values.shard, refuse);
  if (sections.has('exchanges')) {
    if (settings.exchanges.size === 0 && !known.some(({ key }) => key.startsWith('exchanges'))) {
      refuse('exchanges', 'names no exchange: give at least one, such as exchanges.binance.symbols');
    }
    exchanges(values, settings.exchanges, refuse);
  }
  if (sections.has('kafka')) kafka(values, isSet, refuse);
  if (sections.has('grpc')) checkGrpc(values.grpc, values.shard.count, values.plaintextHosts, refuse);
  if (sections.has('kafka')) anySink(values, refuse);
  if (sections.has('redis')) checkRedis(values.redis, values.plaintextHosts, isSet, refuse);
  if (sections.has('topics')) topics(values, sections, refuse);
  if (sections.has('registry')) registry(values, isSet, refuse);
  if (sections.has('status')) {
    if (values.status.host !== null && !isLoopback(values.status.host)) {
      refuse(
        'status.host',
        `must be this machine itself (the sidecar shares the pod's), is ${values.status.host}`,
        '127.0.0.1',
      );
    }
    const { status, metrics } = values;
    if (status.port !== 0 && status.port === metrics.port) {
      refuse(
        'status.port',
        `is ${status.port}, as metrics.port is: they are two servers`,
        String(status.port + 1),
      );
    }
  }
  return problems;
}

function shards(shard: Values['shard'], refuse: Refuse): void {
  if (shard.count === null) return;
  const before = shard.previousCount;
  const range = Math.max(shard.count, before ?? 0);
  if (shard.index !== null && shard.index >= range) {
    refuse(
      'shard.index',
      `must be below shard.count (${shard.count})${before === null ? '' : ` or shard.previousCount (${before})`}, is ${shard.index}`,
      String(range - 1),
    );
  }
  placement(
    shard.pins ?? [],
    shard.exclusive ?? [],
    shard.count,
    'shard.count',
    ['shard.pins', 'shard.exclusive'],
    refuse,
  );
  for (const name of ['previousPins', 'previousExclusive'] as const) {
    if (shard[name] !== null && before === null) {
      refuse(`shard.${name}`, 'needs shard.previousCount; set that to shard.count if only the pins change');
    }
  }
  if (before === null) return;
  if (shard.previousPins !== null || shard.previousExclusive !== null) {
    placement(
      shard.previousPins ?? [],
      shard.previousExclusive ?? [],
      before,
      'shard.previousCount',
      ['shard.previousPins', 'shard.previousExclusive'],
      refuse,
    );
  }
}

function placement(
  pins: readonly Pin[],
  exclusive: readonly ExclusiveShard[],
  count: number,
  countKey: string,
  [pinsKey, exclusiveKey]: readonly [string, string],
  refuse: Refuse,
): void {
  const takenBy = new Map<string, string>();
  const takeOnce = (unit: string, key: string): void => {
    const other = takenBy.get(unit);
    if (other !== undefined) refuse(key, `names ${unit} a second time (${other} has it): keep one`);
    else takenBy.set(unit, key);
  };
  const alone = new Set<number>();
  for (const [at, { shard, units }] of exclusive.entries()) {
    const key = `${exclusiveKey}[${at}]`;
    if (shard >= count) {
      refuse(exclusiveKey, `[${at}] names shard ${shard}, but ${countKey} is ${count}`, String(count - 1));
    }
    if (alone.has(shard)) refuse(exclusiveKey, `[${at}] names shard ${shard} a second time: join the two`);
    alone.add(shard);
    for (const unit of units) takeOnce(unit, key);
  }
  if (alone.size >= count) {
    refuse(exclusiveKey, `leaves no shard for all other units: ${countKey} is ${count}`);
  }
  for (const [at, { unit, shard }] of pins.entries()) {
    if (shard >= count) {
      refuse(
        pinsKey,
        `[${at}] pins ${unit} to shard ${shard}, but ${countKey} is ${count}: shards are 0 to ${count - 1}`,
        String(count - 1),
      );
    }
    if (alone.has(shard)) {
      refuse(
        pinsKey,
        `[${at}] pins ${unit} to shard ${shard}, which is exclusive: name the unit in ${exclusiveKey} instead`,
      );
    }
    takeOnce(unit, pinsKey);
  }
}

function exchanges(values: Values, mentioned: ReadonlySet<ExchangeName>, refuse: Refuse): void {
  for (const name of mentioned) {
    const at = `exchanges.${name}`;
    const exchange = values.exchanges[name];
    const { endpoints, heartbeat, limits, backoff } = exchange;
    if (exchange.symbols !== null && exchange.symbols.length === 0 && exchange.symbolsFile === null) {
      refuse(`${at}.symbols`, 'is empty: name symbols (BTC-USDT), or * for all, or give symbolsFile');
    }
    if (exchange.symbols !== null) oneEach(exchange.symbols, `${at}.symbols`, refuse);
    if (exchange.channels !== null) {
      if (exchange.channels.length === 0) refuse(`${at}.channels`, 'is empty: name trades, quotes or both');
      oneEach(exchange.channels, `${at}.channels`, refuse);
    }
    encryptedUnlessLocal(endpoints.websocket, `${at}.endpoints.websocket`, values.plaintextHosts, refuse);
    encryptedUnlessLocal(endpoints.rest, `${at}.endpoints.rest`, values.plaintextHosts, refuse);
    below(
      heartbeat.checkEveryMs,
      heartbeat.timeoutMs,
      `${at}.heartbeat.checkEveryMs`,
      'heartbeat.timeoutMs',
      refuse,
    );
    below(
      heartbeat.pingAfterMs,
      heartbeat.timeoutMs,
      `${at}.heartbeat.pingAfterMs`,
      'heartbeat.timeoutMs',
      refuse,
    );
    below(backoff.firstMs, backoff.maxMs + 1, `${at}.backoff.firstMs`, 'backoff.maxMs', refuse);
    if (limits.topicsPerRequest !== null && limits.topicsPerRequest === Number.POSITIVE_INFINITY) {
      refuse(`${at}.limits.topicsPerRequest`, 'must be a number: a request has an end', '100');
    }
  }
}

function below(value: number, most: number, key: string, other: string, refuse: Refuse): void {
  if (value !== null && most !== null && value >= most) refuse(key, `must be below ${other}, is ${value}`);
}

/**
 * Refuses what is there twice. Names that differ in case only are one to people and to most
 * exchanges: whoever writes both meant one.
 */
export function oneEach(names: readonly string[], key: string, refuse: Refuse): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folded = name.normalize('NFC').toUpperCase();
    const other = seen.get(folded);
    if (other === undefined) seen.set(folded, name);
    else if (other === name) refuse(key, `names ${name} twice`);
    else refuse(key, `names ${other} and ${name}, which are one`);
  }
}

/** Ticks must go somewhere. */
function anySink({ kafka: { enabled }, redis, grpc }: Values, refuse: Refuse): void {
  if (enabled !== false || redis.streams.enabled || redis.pubsub.enabled || grpc.enabled) return;
  refuse(
    'kafka.enabled',
    'is false and no other output is on: set redis.streams.enabled, redis.pubsub.enabled or grpc.enabled',
    'true',
  );
}

function kafka(values: Values, isSet: IsSet, refuse: Refuse): void {
  const { kafka: client, plaintextHosts } = values;
  const { ssl, sasl, brokers } = client;
  if (brokers !== null && brokers.length === 0)
    refuse('kafka.brokers', 'is empty: name at least one host:port');
  if (brokers !== null) oneEach(brokers, 'kafka.brokers', refuse);
  for (const name of ['caFile', 'certFile', 'keyFile', 'keyPassphraseFile'] as const) {
    if (ssl[name] !== null && ssl.enabled === false) {
      refuse(`kafka.ssl.${name}`, 'is set, but kafka.ssl.enabled is false: set that to true');
    }
  }
  if ((ssl.certFile === null) !== (ssl.keyFile === null)) {
    const [given, needed] = ssl.certFile === null ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    refuse(`kafka.ssl.${given}`, `needs kafka.ssl.${needed}: a certificate and its key go together`);
  }
  for (const name of ['keyPassphrase', 'keyPassphraseFile'] as const) {
    if (isSet(`kafka.ssl.${name}`) && ssl.keyFile === null) {
      refuse(`kafka.ssl.${name}`, 'needs kafka.ssl.keyFile: it is the passphrase of that key');
    }
  }
  oneSource('kafka.ssl.keyPassphrase', 'kafka.ssl.keyPassphraseFile', isSet, refuse);
  oneSource('kafka.sasl.username', 'kafka.sasl.usernameFile', isSet, refuse);
  oneSource('kafka.sasl.password', 'kafka.sasl.passwordFile', isSet, refuse);
  const hasUser = isSet('kafka.sasl.username') || isSet('kafka.sasl.usernameFile');
  const hasPassword = isSet('kafka.sasl.password') || isSet('kafka.sasl.passwordFile');
  if (sasl.mechanism === '' && (hasUser || hasPassword)) {
    refuse(
      'kafka.sasl.mechanism',
      'is not set, but a user name or password is: name how to log in',
      'scram-sha-512',
    );
  }
  if (sasl.mechanism !== '' && sasl.mechanism !== null) {
    if (!hasUser) refuse('kafka.sasl.username', `is not set: ${sasl.mechanism} needs it (or usernameFile)`);
    if (!hasPassword) refuse('kafka.sasl.passwordFile', `is not set: ${sasl.mechanism} needs it`);
  }
  if (sasl.mechanism === 'plain' && ssl.enabled === false) {
    for (const broker of brokers ?? []) {
      const host = broker.slice(0, broker.lastIndexOf(':'));
      if (isLoopback(host) || plaintextHosts?.includes(host)) continue;
      refuse(
        'kafka.sasl.mechanism',
        `plain would send the password to ${host} unencrypted: set kafka.ssl.enabled, use scram-sha-512, or name the host in plaintextHosts`,
        'scram-sha-512',
      );
    }
  }
}

function oneSource(key: string, fileKey: string, isSet: IsSet, refuse: Refuse): void {
  if (isSet(key) && isSet(fileKey)) refuse(fileKey, `is set, and ${key} too: keep one`);
}

function topics(values: Values, sections: ReadonlySet<string>, refuse: Refuse): void {
  const { replication, minInsyncReplicas: inSync, maxMessageBytes } = values.topics;
  if (replication !== null && inSync !== null && inSync > replication) {
    refuse(
      'topics.minInsyncReplicas',
      `must not be above topics.replication (${replication}), is ${inSync}: nothing would ever be acknowledged`,
      String(Math.max(1, replication - 1)),
    );
  }
  const { batchBytes } = values.kafka;
  if (
    sections.has('kafka') &&
    batchBytes !== null &&
    maxMessageBytes !== null &&
    batchBytes > maxMessageBytes
  ) {
    refuse(
      'kafka.batchBytes',
      `must not be above topics.maxMessageBytes (${maxMessageBytes}), is ${batchBytes}`,
      String(maxMessageBytes),
    );
  }
}

function registry(values: Values, isSet: IsSet, refuse: Refuse): void {
  const { url } = values.registry;
  encryptedUnlessLocal(url, 'registry.url', values.plaintextHosts, refuse);
  oneSource('registry.username', 'registry.usernameFile', isSet, refuse);
  oneSource('registry.password', 'registry.passwordFile', isSet, refuse);
  const hasPassword = isSet('registry.password') || isSet('registry.passwordFile');
  const hasUser = isSet('registry.username') || isSet('registry.usernameFile');
  if (hasUser && !hasPassword) refuse('registry.passwordFile', 'is not set, but registry.username is');
  if (!hasUser && hasPassword) refuse('registry.username', 'is not set, but a password is');
}

function encryptedUnlessLocal(
  address: string | null,
  key: string,
  allowed: readonly string[] | null,
  refuse: Refuse,
): void {
  if (address === null) return;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:' || protocol === 'wss:') return;
  if (isLoopback(hostname) || allowed?.includes(hostname)) return;
  const encrypted = protocol === 'http:' ? 'https' : 'wss';
  refuse(
    key,
    `is not encrypted and ${hostname} is another machine: use ${encrypted}://, or name the host in plaintextHosts if the network is yours`,
    `${encrypted}${address.slice(protocol.length - 1)}`,
  );
}
