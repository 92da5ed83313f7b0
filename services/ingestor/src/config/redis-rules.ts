import { keyBeside } from '../sinks/redis/hash-slot.ts';
import { KeyTemplate } from '../sinks/redis/key-template.ts';
import { isLoopback } from './domain-formats.ts';
import type { ValuesOf } from './key.ts';
import type { redisKeys } from './redis-keys.ts';

type RedisValues = ValuesOf<ReturnType<typeof redisKeys>>;

type IsSet = (key: string) => boolean;
type Refuse = (key: string, problem: string, nearest?: string | null) => void;

const EXAMPLE = { topic: 'trades', exchange: 'okx', symbol: 'BTC-USDT' };

/** How the settings of `redis` fit each other; null stands where a key is wrong. Nothing is asked of what is off. */
export function checkRedis(
  redis: RedisValues,
  plaintextHosts: readonly string[] | null,
  isSet: IsSet,
  refuse: Refuse,
): void {
  const { addresses, mode, streams, pubsub } = redis;
  for (const [section, given] of [
    ['streams', streams],
    ['pubsub', pubsub],
  ] as const) {
    if (given.batchBytes !== null && given.queueBytes !== null && given.batchBytes > given.queueBytes / 4) {
      refuse(
        `redis.${section}.batchBytes`,
        `must be at most a quarter of redis.${section}.queueBytes (${given.queueBytes}), is ${given.batchBytes}`,
        String(Math.floor(given.queueBytes / 4)),
      );
    }
  }
  tls(redis.tls, refuse);
  for (const prefix of ['redis', 'redis.sentinel']) {
    const [name, password, file] = ['username', 'password', 'passwordFile'].map((key) => `${prefix}.${key}`);
    if (isSet(password!) && isSet(file!)) refuse(file!, `is set, and ${password} too: keep one`);
    if (isSet(name!) && !isSet(password!) && !isSet(file!)) refuse(file!, `is not set, but ${name} is`);
  }
  if (streams.enabled !== true && pubsub.enabled !== true) return;
  if (addresses !== null) {
    if (addresses.length === 0) refuse('redis.addresses', 'is empty: name at least one host:port');
    if (mode === 'single' && addresses.length > 1) {
      refuse('redis.addresses', 'names several servers: set redis.mode to sentinel or cluster, or name one');
    }
    if (new Set(addresses).size < addresses.length) refuse('redis.addresses', 'names an address twice');
    passwordInTheOpen(redis, addresses, plaintextHosts, isSet, refuse);
  }
  if (mode === 'sentinel' && !isSet('redis.sentinel.master')) {
    refuse('redis.sentinel.master', 'is not set: sentinels are asked for a master by its name', 'mymaster');
  }
  if (mode !== 'sentinel' && mode !== null) {
    for (const name of ['master', 'username', 'password', 'passwordFile']) {
      if (isSet(`redis.sentinel.${name}`)) {
        refuse(`redis.sentinel.${name}`, `is set, but redis.mode is ${mode}: set that to sentinel`);
      }
    }
  }
  if (mode === 'cluster') cluster(redis, refuse);
}

function tls(tls: RedisValues['tls'], refuse: Refuse): void {
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    if (tls[name] !== null && tls.enabled === false) {
      refuse(`redis.tls.${name}`, 'is set, but redis.tls.enabled is false: set that to true');
    }
  }
  if ((tls.certFile === null) !== (tls.keyFile === null)) {
    const [given, needed] = tls.certFile === null ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    refuse(`redis.tls.${given}`, `needs redis.tls.${needed}: a certificate and its key go together`);
  }
}

function cluster({ database, streams }: RedisValues, refuse: Refuse): void {
  if (database !== null && database !== 0) {
    refuse('redis.database', `must be 0 in a Cluster, is ${database}`, '0');
  }
  if (streams.key === null) return;
  try {
    keyBeside(new KeyTemplate(streams.key).nameOf(EXAMPLE), ':writer');
  } catch {
    refuse('redis.streams.key', `has braces that make no hash tag, is "${streams.key}": remove them`);
  }
}

/** Redis takes passwords as they are: nobody on the way may read along. */
function passwordInTheOpen(
  { tls }: RedisValues,
  addresses: readonly string[],
  plaintextHosts: readonly string[] | null,
  isSet: IsSet,
  refuse: Refuse,
): void {
  if (tls.enabled !== false) return;
  const keys = [
    'redis.password',
    'redis.passwordFile',
    'redis.sentinel.password',
    'redis.sentinel.passwordFile',
  ];
  const key = keys.find((each) => isSet(each));
  if (key === undefined) return;
  for (const each of addresses) {
    const host = each.slice(0, each.lastIndexOf(':'));
    if (isLoopback(host) || plaintextHosts?.includes(host)) continue;
    refuse(
      key,
      `would go to ${host} unencrypted: set redis.tls.enabled, or name the host in plaintextHosts if the network is yours`,
    );
  }
}
