import { afterEach, describe, expect, it } from 'vitest';
import { json, type RunningServer, startServer } from './server.ts';

let server: RunningServer | null = null;
const failures: string[] = [];
afterEach(async () => {
  await server?.close();
  server = null;
});

async function start(): Promise<string> {
  server = await startServer({
    host: '127.0.0.1',
    port: 0,
    routes: {
      '/one': { GET: { answer: () => json(200, { one: 1 }) } },
      '/broken': {
        GET: {
          answer: () => {
            throw new Error('inner detail');
          },
        },
      },
      '/form': {
        POST: { bodyBytes: 8, answer: ({ body, query }) => json(200, { body, x: query.get('x') }) },
      },
    },
    failed: (path) => failures.push(path),
  });
  return server.url;
}

describe('startServer', () => {
  it('answers GET and HEAD of its paths only', async () => {
    const url = await start();
    const one = await fetch(`${url}/one?x`);
    expect([one.status, await one.json()]).toEqual([200, { one: 1 }]);
    const head = await fetch(`${url}/one`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const statuses: number[] = [];
    for (const [path, init] of [
      ['/two', {}],
      ['/toString', {}],
      ['/constructor', { method: 'POST' }],
      ['/one', { method: 'PUT' }],
      ['/one', { method: 'POST', body: 'x' }],
      ['/one', { method: 'DELETE' }],
      ['/form', {}],
    ] as const) {
      const answer = await fetch(url + path, init);
      statuses.push(answer.status);
      expect(await answer.json()).toEqual({ error: expect.stringMatching(/\.$/) });
    }
    expect(statuses).toEqual([404, 404, 404, 405, 405, 405, 405]);
  });

  it('takes a body only where one is wanted, and no larger', async () => {
    const url = await start();
    const post = (body: RequestInit['body']) =>
      fetch(`${url}/form?x=1`, { method: 'POST', body: body ?? null, duplex: 'half' } as RequestInit);
    expect(await (await post('12345678')).json()).toEqual({ body: '12345678', x: '1' });
    expect(await (await post('')).json()).toEqual({ body: '', x: '1' });
    expect((await post('123456789')).status).toBe(413);
    // Without a length: found out while it is read.
    const unannounced = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('123456789'));
        controller.close();
      },
    });
    expect((await post(unannounced)).status).toBe(413);
    expect(await (await post('after')).json()).toEqual({ body: 'after', x: '1' });
  });

  it('lets a page load its own files only, and no page frame it', async () => {
    for (const path of ['/one', '/nowhere']) {
      const { headers } = await fetch((await start()) + path);
      await server?.close();
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('tells the asker nothing about what failed inside, and goes on', async () => {
    const url = await start();
    const answer = await fetch(`${url}/broken`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toMatch(/inner detail|\.ts/);
    expect(failures).toEqual(['/broken']);
    expect((await fetch(`${url}/one`)).status).toBe(200);
  });

  it('names the setting when the port is taken', async () => {
    const { port } = new URL(await start());
    await expect(
      startServer({ host: '127.0.0.1', port: Number(port), routes: {}, failed: () => {} }),
    ).rejects.toThrow(`127.0.0.1:${port} is in use by another process; set listen.port to a free port`);
  });
});
