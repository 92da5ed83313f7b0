import { describe, expect, it } from 'vitest';
import { ConfigError, loadSections, type RedisConfig, readCommandLine } from '../config.ts';

function load(...flags: string[]): RedisConfig {
  return loadSections(readCommandLine(flags.map((flag) => `--redis.${flag}`)), {}, ['redis']).redis;
}

/** The problem that the settings have, as people read it. */
function problem(...flags: string[]): string {
  try {
    load(...flags);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ key, problem }) => `${key} ${problem}`).join('\n');
    throw error;
  }
  return '';
}

const ON = ['streams.enabled=true', 'addresses=127.0.0.1:6379'];

describe('the section redis', () => {
  it('asks for nothing while both sinks are off', () => {
    expect(load()).toMatchObject({ mode: 'single', streams: { enabled: false }, pubsub: { enabled: false } });
  });

  it('has defaults for everything but the address', () => {
    expect(load(...ON)).toMatchObject({
      database: 0,
      tls: { enabled: false },
      streams: { format: 'json', key: 'md:{topic}:{exchange}', maxAgeMs: Number.POSITIVE_INFINITY },
      pubsub: { format: 'json', channel: 'md:{topic}:{exchange}:{symbol}' },
    });
    expect(load(...ON, 'streams.maxAgeMs=2h', 'streams.maxLength=none').streams).toMatchObject({
      maxAgeMs: 7_200_000,
      maxLength: Number.POSITIVE_INFINITY,
    });
  });

  it.each([
    [['streams.enabled=true'], 'redis.addresses is empty'],
    [['pubsub.enabled=true', 'addresses=a:1,b:2'], 'redis.addresses names several servers'],
    [['pubsub.enabled=true', 'addresses=a:1,a:1', 'mode=cluster'], 'redis.addresses names an address twice'],
    [[...ON, 'mode=sentinel'], 'redis.sentinel.master is not set'],
    [[...ON, 'sentinel.master=main'], 'redis.sentinel.master is set, but redis.mode is single'],
    [[...ON, 'mode=cluster', 'database=3'], 'redis.database must be 0 in a Cluster'],
    [
      [...ON, 'mode=cluster', 'streams.key=a{{}}{topic}{exchange}'],
      'redis.streams.key has braces that make no hash tag',
    ],
    [[...ON, 'streams.key=md:{topic}'], 'redis.streams.key must have the place {exchange}'],
    [[...ON, 'pubsub.channel={topic}:{exchange}:{coin}'], 'redis.pubsub.channel has the place {coin}'],
    [
      [...ON, 'streams.queueBytes=1MiB', 'streams.batchBytes=512KiB'],
      'redis.streams.batchBytes must be at most a quarter',
    ],
    [[...ON, 'tls.caFile=/ca.pem'], 'redis.tls.caFile is set, but redis.tls.enabled is false'],
    [[...ON, 'tls.enabled=true', 'tls.certFile=/c.pem'], 'redis.tls.certFile needs redis.tls.keyFile'],
    [[...ON, 'username=writer'], 'redis.passwordFile is not set, but redis.username is'],
    [[...ON, 'passwordFile=/nowhere'], 'redis.passwordFile names /nowhere'],
    [
      ['streams.enabled=true', 'addresses=redis.example:6379', 'passwordFile=/nowhere'],
      'redis.passwordFile would go to redis.example unencrypted: set redis.tls.enabled',
    ],
  ])('%s: %s', (flags, message) => {
    expect(problem(...flags)).toContain(message);
  });

  it('takes a hash tag in a Cluster', () => {
    expect(problem(...ON, 'mode=cluster', 'streams.key=md:{{{exchange}}}:{topic}')).toBe('');
  });
});
