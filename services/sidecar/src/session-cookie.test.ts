import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { admitsSession, cookieHeader, peerCookie, sessionOf, signSession } from './session-cookie.ts';

const [key, other] = [randomBytes(32), randomBytes(32)];

describe('a session', () => {
  it('holds until its end, for whoever has the key', () => {
    const value = signSession(key, 'person', 1_000);
    expect(admitsSession([other, key], 'person', value, 999)).toBe(true);
    expect(admitsSession([key], 'person', value, 1_000)).toBe(false);
    expect(admitsSession([other], 'person', value, 999)).toBe(false);
    expect(admitsSession([], 'person', value, 999)).toBe(false);
  });

  it('of a peer is none of a person, and ends soon', () => {
    const value = sessionOf(peerCookie(key, 0))!;
    const held = (holder: 'person' | 'peer', now: number) => admitsSession([key], holder, value, now);
    expect([held('peer', 60_000), held('person', 60_000), held('peer', 600_000)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('can not be made longer', () => {
    const [, signature] = signSession(key, 'person', 1_000).split('.');
    expect(admitsSession([key], 'person', `9999999.${signature}`, 999)).toBe(false);
  });

  it.each(['', '.', '1000.', `1000.${'A'.repeat(43)}`, `1e9.${'A'.repeat(43)}`, `-1.${'A'.repeat(43)}`])(
    'is not %j',
    (value) => expect(admitsSession([key], 'person', value, 0)).toBe(false),
  );
});

it('finds the session among other cookies', () => {
  expect(sessionOf('a=1; tickline_session=12.ab; b=2')).toBe('12.ab');
  expect(sessionOf('xtickline_session=1')).toBeNull();
  expect(sessionOf(undefined)).toBeNull();
});

it('keeps the cookie from scripts, other sites and, over TLS, from plain HTTP', () => {
  expect(cookieHeader('v', false)).toBe('tickline_session=v; HttpOnly; SameSite=Strict; Max-Age=43200');
  expect(cookieHeader('', true)).toBe('tickline_session=; HttpOnly; SameSite=Strict; Max-Age=0; Secure');
});
