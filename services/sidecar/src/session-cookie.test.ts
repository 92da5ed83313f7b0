import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { admitsSession, cookieHeader, sessionOf, signSession } from './session-cookie.ts';

const [key, other] = [randomBytes(32), randomBytes(32)];

describe('a session', () => {
  it('holds until its end, for whoever has the key', () => {
    const value = signSession(key, 1_000);
    expect(admitsSession([other, key], value, 999)).toBe(true);
    expect(admitsSession([key], value, 1_000)).toBe(false);
    expect(admitsSession([other], value, 999)).toBe(false);
    expect(admitsSession([], value, 999)).toBe(false);
  });

  it('can not be made longer', () => {
    const [, signature] = signSession(key, 1_000).split('.');
    expect(admitsSession([key], `9999999.${signature}`, 999)).toBe(false);
  });

  it.each(['', '.', '1000.', `1000.${'A'.repeat(43)}`, `1e9.${'A'.repeat(43)}`, `-1.${'A'.repeat(43)}`])(
    'is not %j',
    (value) => expect(admitsSession([key], value, 0)).toBe(false),
  );
});

it('finds the session among other cookies', () => {
  expect(sessionOf('a=1; tickline_session=12.ab; b=2')).toBe('12.ab');
  expect(sessionOf('xtickline_session=1')).toBeNull();
  expect(sessionOf(undefined)).toBeNull();
});

it('keeps the cookie from scripts, other sites and, over TLS, from plain HTTP', () => {
  expect(cookieHeader('v', false)).toBe(
    'tickline_session=v; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200',
  );
  expect(cookieHeader('', true)).toBe(
    'tickline_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure',
  );
});
