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
      '/one': () => json(200, { one: 1 }),
      '/broken': () => {
        throw new Error('inner detail');
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
      ['/one', { method: 'PUT' }],
      ['/one', { method: 'POST', body: 'x' }],
    ] as const) {
      const answer = await fetch(url + path, init);
      statuses.push(answer.status);
      expect(await answer.json()).toEqual({ error: expect.stringMatching(/\.$/) });
    }
    expect(statuses).toEqual([404, 404, 405, 413]);
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
