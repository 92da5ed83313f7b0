import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Access } from './access.ts';
import { FailureLimiter } from './failure-limiter.ts';
import { peerCookie } from './session-cookie.ts';
import { TokenFile } from './token-file.ts';

const TOKEN = 'correct-horse-battery';
let folder: string;
let tokens: TokenFile;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-access-'));
  writeFileSync(join(folder, 'token'), TOKEN);
  tokens = new TokenFile(join(folder, 'token'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const withToken = () => new Access(tokens, new FailureLimiter(), '0.0.0.0');
const caller = (headers: IncomingHttpHeaders) => ({ headers, address: '10.0.0.9' });
const bearer = (token: string) => caller({ authorization: `Bearer ${token}` });

describe('reading', () => {
  it('is open without a token file', () => {
    const access = new Access(null, new FailureLimiter(), '0.0.0.0');
    expect(access.read(caller({})).kind).toBe('admitted');
  });

  it('takes the token, or the session that it brings', () => {
    const access = withToken();
    expect(access.read(bearer(TOKEN)).kind).toBe('admitted');
    const session = access.login(TOKEN, caller({}));
    if (session.kind !== 'session') throw new Error(session.kind);
    const cookie = `tickline_session=${session.value}`;
    expect(access.read(caller({ cookie })).kind).toBe('admitted');
    expect(access.read(caller({ cookie: `${cookie}x` })).kind).toBe('unknown');
  });

  it.each([
    {},
    { authorization: TOKEN },
    { authorization: `Basic ${TOKEN}` },
    { cookie: `tickline_session=${TOKEN}` },
  ])('refuses %j', (headers) => expect(withToken().read(caller(headers)).kind).toBe('unknown'));

  it('leaves a login to the proxy before it alone', () => {
    const access = withToken();
    const session = access.login(TOKEN, caller({}));
    if (session.kind !== 'session') throw new Error(session.kind);
    const cookie = `tickline_session=${session.value}`;
    expect(access.read(caller({ cookie, authorization: 'Basic dXNlcjpwYXNz' })).kind).toBe('admitted');
    expect(access.refused).toBe(0);
  });

  it('is all that another sidecar may do', () => {
    const asked = caller({ cookie: peerCookie(tokens.sessionKeys()[0]!, Date.now()) });
    expect([withToken().read(asked).kind, withToken().change(asked).kind]).toEqual(['admitted', 'unknown']);
  });

  it('does not listen to an address any more that guesses, not even to the right token', () => {
    const access = withToken();
    for (let guess = 0; guess < 10; guess++)
      expect(access.read(bearer(`guess-${guess}`)).kind).toBe('unknown');
    expect(access.read(bearer(TOKEN)).kind).toBe('wait');
    expect(access.login(TOKEN, caller({})).kind).toBe('wait');
    expect(access.refused).toBe(10);
    expect(access.read({ ...bearer(TOKEN), address: '10.0.0.10' }).kind).toBe('admitted');
  });
});

describe('changing', () => {
  const local = () => new Access(null, new FailureLimiter(), '127.0.0.1');

  it('needs the token where there is one', () => {
    expect(withToken().change(caller({})).kind).toBe('unknown');
    expect(withToken().change(bearer(TOKEN)).kind).toBe('admitted');
  });

  it('is for this machine only where there is none', () => {
    const host = 'localhost:9466';
    expect(local().change(caller({ host })).kind).toBe('admitted');
    expect(local().change(caller({ host: '[::1]:9466' })).kind).toBe('admitted');
    const open = new Access(null, new FailureLimiter(), '0.0.0.0');
    expect(open.change(caller({ host }))).toEqual({
      kind: 'forbidden',
      reason: expect.stringContaining('set auth.tokenFile'),
    });
  });

  it('is not for a name that leads to this machine', () => {
    for (const host of ['evil.example:9466', '127.0.0.1.evil.example', undefined]) {
      expect(local().change(caller(host === undefined ? {} : { host })).kind).toBe('forbidden');
    }
  });

  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ origin: 'http://tickline:9466', host: 'tickline:9466' }, true],
    [{ origin: 'http://tickline:9467', host: 'tickline:9466' }, false],
    [{ origin: 'null', host: 'tickline:9466' }, false],
    [{ host: 'tickline:9466' }, true],
  ])('looks at where a request comes from: %j', (headers, isAdmitted) => {
    const access = withToken();
    const asked = caller({ ...headers, authorization: `Bearer ${TOKEN}` });
    expect(access.change(asked).kind).toBe(isAdmitted ? 'admitted' : 'forbidden');
    expect(access.login(TOKEN, asked).kind).toBe(isAdmitted ? 'session' : 'forbidden');
  });
});
