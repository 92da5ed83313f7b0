import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { exampleStatus } from './pod-status-example.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';
import type { Fleet, Snapshot } from './snapshot.ts';

/** Only ends a test that waits in vain. */
const WAIT = { timeout: 20_000 };
const TOKEN = 'correct-horse-battery';
const BEARER = { Authorization: `Bearer ${TOKEN}` };
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

let folder: string;
let ingestor: Server;
let ingestorUrl: string;
let answer: RequestListener;
let sidecars: Sidecar[];
let log: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-sidecar-'));
  writeFileSync(join(folder, 'token'), TOKEN);
  answer = (_request, response) => response.end(JSON.stringify(exampleStatus()));
  ingestor = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => ingestor.listen(0, '127.0.0.1', resolve));
  ingestorUrl = `http://127.0.0.1:${(ingestor.address() as AddressInfo).port}`;
  sidecars = [];
  log = '';
});
afterEach(async () => {
  for (const sidecar of sidecars) await sidecar.stop();
  ingestor.closeAllConnections();
  await new Promise((resolve) => ingestor.close(resolve));
  rmSync(folder, { recursive: true });
});

async function start(...flags: string[]): Promise<string> {
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const args = [
    `--ingestor.url=${ingestorUrl}`,
    '--listen.port=0',
    '--ingestor.pollMs=20',
    '--peers.pollMs=20',
  ];
  const config = readConfig({ args: [...args, ...flags], env: {} });
  const sidecar = await startSidecar(config, '1.0.0', createLogger('info', stream));
  sidecars.push(sidecar);
  return sidecar.url;
}

const locked = () => start(`--auth.tokenFile=${join(folder, 'token')}`);

const logIn = (url: string, token: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ token }),
  });

describe('a sidecar with a token', () => {
  it('opens health, metrics and the login form, and nothing else', async () => {
    const url = await locked();
    const statuses: Record<string, number> = {};
    for (const path of [
      '/healthz',
      '/metrics',
      '/login',
      '/page.css',
      '/status',
      '/fleet',
      '/events',
      '/main.js',
      '/log-level',
    ]) {
      const got = await fetch(url + path);
      statuses[path] = got.status;
      if (got.status === 401) {
        expect(got.headers.get('www-authenticate')).toBe('Bearer realm="tickline"');
        expect(await got.text()).not.toMatch(/producer|p1/);
      }
    }
    expect(statuses).toEqual({
      '/healthz': 200,
      '/metrics': 200,
      '/login': 200,
      '/page.css': 200,
      '/status': 401,
      '/fleet': 401,
      '/events': 401,
      '/main.js': 401,
      '/log-level': 401,
    });
    const page = await fetch(`${url}/`, { redirect: 'manual' });
    expect([page.status, page.headers.get('location')]).toEqual([303, 'login']);
    // What all can read says how the ingestor is, and no more.
    const health = (await (await fetch(`${url}/healthz`)).json()) as { ingestor: object };
    expect(Object.keys(health.ingestor).sort()).toEqual(['since', 'state']);
  });

  it('takes the token in a header, and a login', async () => {
    const url = await locked();
    expect((await fetch(`${url}/status`, { headers: BEARER })).status).toBe(200);
    const login = await logIn(url, ` ${TOKEN}\n`);
    expect([login.status, login.headers.get('location')]).toEqual([303, './']);
    const cookie = login.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^tickline_session=[^;]+; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(cookie).not.toContain(TOKEN);
    const headers = { Cookie: cookie.split(';')[0]! };
    for (const path of ['/', '/status', '/fleet', '/main.js', '/log-level']) {
      expect((await fetch(url + path, { headers })).status).toBe(200);
    }
    const logout = await fetch(`${url}/logout`, { method: 'POST', headers, redirect: 'manual' });
    expect([logout.status, logout.headers.get('set-cookie')]).toEqual([
      303,
      expect.stringContaining('Max-Age=0'),
    ]);
  });

  it.each([
    ['https', true],
    ['https, http', true],
    ['http, https', false],
  ])('sets a cookie for TLS only where the login came by TLS: %s', async (protocols, isSecure) => {
    const login = await logIn(await locked(), TOKEN, { 'X-Forwarded-Proto': protocols });
    expect(/; Secure$/.test(login.headers.get('set-cookie')!)).toBe(isSecure);
  });

  it('refuses wrong tokens, large forms and other sites, and stops listening to one who guesses', async () => {
    const url = await locked();
    const wrong = await logIn(url, 'wrong-horse-battery');
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await wrong.text()).toContain('This token is not right.');
    expect((await logIn(url, 'x'.repeat(5_000))).status).toBe(413);
    expect((await logIn(url, TOKEN, { Origin: 'http://evil.example' })).status).toBe(403);
    expect((await logIn(url, TOKEN, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    for (let guess = 0; guess < 9; guess++) await logIn(url, `guess-${guess}`);
    const late = await logIn(url, TOKEN);
    expect([late.status, await late.text()]).toEqual([
      429,
      expect.stringMatching(/Try again in \d+ seconds/),
    ]);
    const header = await fetch(`${url}/status`, { headers: BEARER });
    expect([header.status, Number(header.headers.get('retry-after')) > 0]).toEqual([429, true]);
  });

  it('never tells the token', async () => {
    const url = await locked();
    let told = '';
    for (const path of ['/healthz', '/metrics', '/login', '/status', '/fleet', '/log-level', '/nowhere']) {
      const got = await fetch(url + path, { headers: BEARER });
      told += (await got.text()) + JSON.stringify([...got.headers]);
    }
    told += await (await logIn(url, `${TOKEN}x`)).text();
    expect(told + log).not.toContain(TOKEN);
  });

  it('does not start with a file that is of no use, and names the setting', async () => {
    writeFileSync(join(folder, 'token'), 'short');
    await expect(locked()).rejects.toThrow(ConfigError);
    await expect(locked()).rejects.toThrow(
      `auth.tokenFile ${join(folder, 'token')}: a token is shorter than 16 characters`,
    );
  });
});

describe('the log level', () => {
  const change = (url: string, query: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/log-level?${query}`, { method: 'PUT', headers });

  it('changes here and in the ingestor', async () => {
    const asked: string[] = [];
    answer = (request, response) => {
      if (request.method === 'PUT') asked.push(`${request.method} ${request.url}`);
      response.end(
        JSON.stringify(
          request.method === 'PUT' ? { level: 'debug', was: 'info', until: 9 } : exampleStatus(),
        ),
      );
    };
    const url = await locked();
    const got = await change(url, 'level=debug&for=10m', BEARER);
    expect([got.status, await got.json()]).toEqual([
      200,
      {
        sidecar: { level: 'debug', was: 'info', until: expect.any(Number) },
        ingestor: { level: 'debug', was: 'info', until: 9 },
      },
    ]);
    expect(asked).toEqual(['PUT /log-level?level=debug&for=10m']);
    const now = await (await fetch(`${url}/log-level`, { headers: BEARER })).json();
    expect(now).toEqual({ sidecar: { level: 'debug', until: expect.any(Number) } });
    expect(log).toContain('the log level is now debug');
  });

  it('says when the ingestor does not follow', async () => {
    answer = (request, response) => {
      if (request.method === 'PUT') response.writeHead(404);
      response.end(JSON.stringify(exampleStatus()));
    };
    const got = await change(await start(), 'level=warn');
    expect([got.status, await got.json()]).toEqual([
      502,
      {
        sidecar: { level: 'warn', was: 'info', until: null },
        ingestor: { error: 'The ingestor answers with status 404.' },
      },
    ]);
  });

  it('is refused to strangers, other sites, and with a wrong level', async () => {
    const url = await locked();
    expect((await change(url, 'level=debug')).status).toBe(401);
    expect((await change(url, 'level=debug', { ...BEARER, Origin: 'http://evil.example' })).status).toBe(403);
    const wrong = await change(url, 'level=loud', BEARER);
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: 'level must be one of error, warn, info, debug.' },
    ]);
  });

  it('can not be changed from elsewhere where no token is configured', async () => {
    const url = (await start('--listen.host=0.0.0.0')).replace('0.0.0.0', '127.0.0.1');
    const got = await change(url, 'level=debug');
    expect([got.status, await got.text()]).toEqual([403, expect.stringContaining('set auth.tokenFile')]);
    expect((await fetch(`${url}/status`)).status).toBe(200);
  });
});

/** Snapshots of the page's stream, one by one. */
async function* snapshots(url: string): AsyncGenerator<Snapshot> {
  const stop = new AbortController();
  const response = await fetch(`${url}/events`, { signal: stop.signal });
  let text = '';
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const data = /^event: snapshot\ndata: (.*)$/.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data) as Snapshot;
      }
    }
  } finally {
    stop.abort();
  }
}

describe('the stream of the page', () => {
  it('follows the ingestor', async () => {
    const titles: string[] = [];
    for await (const { headline, timeline } of snapshots(await start())) {
      if (titles.at(-1) !== headline.title) titles.push(headline.title);
      if (headline.tone === 'good') {
        expect(timeline[0]).toMatchObject({ kind: 'state', tone: 'good' });
        answer = (request) => request.socket.destroy();
      }
      if (headline.title.includes('unreachable')) break;
    }
    expect(titles.slice(-2)).toEqual([
      'The ingestor is up',
      'The ingestor is unreachable: its process is gone',
    ]);
  });
});

describe('the fleet', () => {
  it('is all sidecars that have the same token', async () => {
    const first = await locked();
    answer = (_request, response) =>
      response.end(JSON.stringify(exampleStatus({ shard: { index: 0, count: 2 }, producer: 'p0' })));
    const peer = new URL(first).host;
    const second = await start(`--auth.tokenFile=${join(folder, 'token')}`, `--peers.addresses=${peer}`);
    await expect
      .poll(async () => {
        const fleet = (await (await fetch(`${second}/fleet`, { headers: BEARER })).json()) as Fleet;
        return fleet.pods.map(({ address, peer: state, ingestor: told }) => [address, state, told?.state]);
      }, WAIT)
      .toEqual([
        [null, 'answers', 'up'],
        [peer, 'answers', expect.stringMatching('up|restarted')],
      ]);
    writeFileSync(join(folder, 'other'), 'another-token-of-theirs');
    const third = await start(`--auth.tokenFile=${join(folder, 'other')}`, `--peers.addresses=${peer}`);
    const other = { Authorization: 'Bearer another-token-of-theirs' };
    await expect
      .poll(async () => {
        const fleet = (await (await fetch(`${third}/fleet`, { headers: other })).json()) as Fleet;
        return fleet.problems;
      }, WAIT)
      .toEqual(
        expect.arrayContaining([expect.stringContaining(`${peer}: its sidecar does not take our token`)]),
      );
  });
});
