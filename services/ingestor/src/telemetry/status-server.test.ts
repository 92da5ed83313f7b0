import type { PodStatus } from '@tickline/schemas';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpListener } from './http-listener.ts';
import type { Logger } from './logger.ts';
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
afterEach(async () => {
  await listener?.close();
  listener = null;
});

const yes: Health = { ok: true, reason: 'fine' };

async function start(source: Partial<StatusSource>): Promise<string> {
  listener = await startStatusServer(
    { host: '127.0.0.1', port: 0 },
    { status: () => status, live: () => yes, ready: () => yes, ...source },
    createRedactor(['hunter22']),
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

  it('refuses an address that others can reach', async () => {
    const source = { status: () => status, live: () => yes, ready: () => yes };
    await expect(
      startStatusServer({ host: '0.0.0.0', port: 0 }, source, (text) => text, logger),
    ).rejects.toThrow(/^status\.host: 0\.0\.0\.0 can be reached/);
  });
});

describe('startMetricsServer', () => {
  it('serves the registry as Prometheus wants it', async () => {
    listener = await startMetricsServer({ host: '127.0.0.1', port: 0 }, new Registry(), logger);
    const answer = await fetch(`${listener.url}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await fetch(`${listener.url}/status`)).status).toBe(404);
  });
});
