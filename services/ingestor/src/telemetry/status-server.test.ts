import type { PodStatus } from '@tickline/schemas';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpListener } from './http-listener.ts';
import { LogLevelSwitch } from './log-level-switch.ts';
import type { Logger, LogLevel } from './logger.ts';
import { createRedactor } from './redactor.ts';
import { type Health, type StatusSource, startMetricsServer, startStatusServer } from './status-server.ts';

const events: string[] = [];
const logger: Logger = {
  error: (event) => events.push(event),
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => logger,
  admits: () => true,
};

const status: PodStatus = {
  version: '0.1.0',
  producer: 'p1',
  pid: 1,
  startedAt: 1,
  now: 2,
  phase: 'running',
  shard: { index: 0, count: 1 },
  ready: true,
  notReady: null,
  cpuSeconds: 0,
  rssBytes: 0,
  exchanges: [],
  connections: [],
  notLive: [],
  sinks: [
    {
      sink: 'kafka',
      healthy: false,
      detail: 'login as u with hunter22 was refused',
      queuedRecords: 0,
      queuedBytes: 0,
      queueLimitBytes: 0,
      acknowledged: 0,
      dropped: 0,
    },
  ],
};

let listener: HttpListener | null = null;
let level: LogLevel = 'info';
const levels = () =>
  new LogLevelSwitch({
    get level() {
      return level;
    },
    setLevel: (next) => {
      level = next;
    },
    info: () => undefined,
    warn: () => undefined,
  });
afterEach(async () => {
  await listener?.close();
  listener = null;
  level = 'info';
});

const yes: Health = { ok: true, reason: 'fine' };

async function start(source: Partial<StatusSource>): Promise<string> {
  listener = await startStatusServer(
    { host: '127.0.0.1', port: 0 },
    { status: () => status, live: () => yes, ready: () => yes, ...source },
    createRedactor(['hunter22']),
    levels(),
    logger,
  );
  return listener.url;
}

describe('startStatusServer', () => {
  it('serves the status without secrets', async () => {
    const answer = await fetch(`${await start({})}/status`);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ producer: 'p1', phase: 'running' });
    expect(text).not.toContain('hunter22');
  });

  it('answers liveness and readiness by status code and reason', async () => {
    const url = await start({ ready: () => ({ ok: false, reason: '3 subscriptions are requested' }) });
    const live = await fetch(`${url}/livez`);
    expect([live.status, await live.json()]).toEqual([200, yes]);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ok: false, reason: '3 subscriptions are requested' },
    ]);
  });

  it('logs what failed and goes on', async () => {
    const url = await start({
      status: () => {
        throw new Error('broken');
      },
    });
    events.length = 0;
    expect((await fetch(`${url}/status`)).status).toBe(500);
    expect(events).toEqual(['status-failed']);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('tells and changes the log level', async () => {
    const url = `${await start({})}/log-level`;
    const put = async (query: string) => {
      const answer = await fetch(`${url}${query}`, { method: 'PUT' });
      return [answer.status, await answer.json()];
    };
    expect(await (await fetch(url)).json()).toEqual({ level: 'info' });
    expect(await put('?level=debug')).toEqual([200, { level: 'debug', was: 'info', until: null }]);
    expect(await (await fetch(url)).json()).toEqual({ level: 'debug' });
    const [code, change] = await put('?level=warn&for=10m');
    expect([code, change]).toEqual([200, { level: 'warn', was: 'debug', until: expect.any(Number) }]);
    expect(await put('?level=loud')).toEqual([
      400,
      { error: 'level must be one of error, warn, info, debug' },
    ]);
    expect(await put('')).toEqual([400, { error: expect.stringContaining('level must be') }]);
    expect(await put('?level=info&for=ever')).toEqual([
      400,
      { error: expect.stringContaining('for must be') },
    ]);
    expect(level).toBe('warn');
    expect((await fetch(url, { method: 'PUT', body: 'level=info' })).status).toBe(413);
    expect((await fetch(url, { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD, PUT');
    expect((await fetch(url.replace('log-level', 'status'), { method: 'PUT' })).status).toBe(405);
  });

  it('refuses an address that others can reach', async () => {
    const source = { status: () => status, live: () => yes, ready: () => yes };
    await expect(
      startStatusServer({ host: '0.0.0.0', port: 0 }, source, (text) => text, levels(), logger),
    ).rejects.toThrow(/^status\.host: 0\.0\.0\.0 can be reached/);
  });
});

describe('startMetricsServer', () => {
  const probed = { live: () => yes, ready: () => ({ ok: false, reason: 'secret detail' }) };

  it('serves the registry as Prometheus wants it', async () => {
    listener = await startMetricsServer({ host: '127.0.0.1', port: 0 }, new Registry(), probed, logger);
    const answer = await fetch(`${listener.url}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await fetch(`${listener.url}/status`)).status).toBe(404);
    expect((await fetch(`${listener.url}/log-level`, { method: 'PUT' })).status).toBe(404);
  });

  it('answers probes with one word', async () => {
    listener = await startMetricsServer({ host: '127.0.0.1', port: 0 }, new Registry(), probed, logger);
    const ask = async (path: string) => {
      const answer = await fetch(`${listener!.url}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await ask('/livez')).toEqual([200, 'live\n']);
    expect(await ask('/readyz')).toEqual([503, 'unready\n']);
  });
});
