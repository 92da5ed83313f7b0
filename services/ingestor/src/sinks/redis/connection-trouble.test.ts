import { describe, expect, it } from 'vitest';
import { diagnose } from './connection-trouble.ts';
import type { RedisServerOptions } from './options.ts';

const options: RedisServerOptions = {
  mode: 'single',
  addresses: ['redis:6379'],
  master: null,
  database: 0,
  clientName: 'test',
  login: { username: 'writer', password: 'correct horse' },
  sentinelLogin: null,
  tls: null,
  connectTimeoutMs: 1000,
  requestTimeoutMs: 1000,
};

describe('diagnose', () => {
  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', '', 'redis.passwordFile', true],
    ['NOAUTH Authentication required.', '', 'set redis.username and redis.passwordFile', true],
    ['NOPERM this user has no permissions', '', 'redis.username', true],
    ['ERR DB index is out of range', '', 'redis.database', true],
    ['self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN', 'redis.tls', true],
    [
      'connect ECONNREFUSED 127.0.0.1:1',
      'ECONNREFUSED',
      'redis.addresses (redis:6379) does not answer',
      false,
    ],
    ['Connection is closed.', '', 'set redis.tls.enabled', false],
  ])('%s names the setting', (message, code, named, isRefusal) => {
    const diagnosis = diagnose(Object.assign(new Error(message), { code }), options);
    expect(diagnosis.message).toContain(named);
    expect(diagnosis.isRefusal).toBe(isRefusal);
  });

  it('finds the reason that a node of a Cluster gave', () => {
    const error = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: new Error('WRONGPASS invalid username-password pair'),
    });
    expect(diagnose(error, { ...options, mode: 'cluster' }).message).toContain('refuses the login');
  });

  it('names the master that no sentinel knows', () => {
    const error = new Error('All sentinels are unreachable and retry is disabled.');
    const { message } = diagnose(error, { ...options, mode: 'sentinel', master: 'main' });
    expect(message).toContain('redis.sentinel.master "main"');
  });

  it('shows nothing of the command that failed', () => {
    const error = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
      command: { name: 'auth', args: ['writer', 'correct horse'] },
    });
    expect(JSON.stringify(diagnose(error, options))).not.toContain('horse');
  });
});
