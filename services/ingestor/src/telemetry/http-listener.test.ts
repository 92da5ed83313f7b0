import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpListener, type HttpListenerOptions, isLoopback, json, listen } from './http-listener.ts';

let listener: HttpListener | null = null;

async function open(options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  listener = await listen({
    what: 'test server',
    settings: { host: 'test.host', port: 'test.port' },
    host: '127.0.0.1',
    port: 0,
    routes: { '/one': () => json(200, { one: 1 }) },
    failed: () => {},
    ...options,
  });
  return listener;
}

/** Sends bytes as they are and returns all that comes back until the server closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

afterEach(async () => {
  await listener?.close();
  listener = null;
});

describe('listen', () => {
  it('takes a free port for 0 and says which', async () => {
    const { port, url } = await open();
    expect(port).toBeGreaterThan(0);
    const answer = await fetch(`${url}/one?query=ignored`);
    expect([answer.status, await answer.json()]).toEqual([200, { one: 1 }]);
  });

  it('answers HEAD without a body', async () => {
    const { url } = await open();
    const answer = await fetch(`${url}/one`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
      200,
      '10',
      '',
    ]);
  });

  it('refuses unknown paths, methods and bodies in JSON sentences', async () => {
    const { url } = await open();
    const refused = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(url + path, init);
      const { error } = (await answer.json()) as { error: string };
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(error).toMatch(/\.$/);
      return answer;
    };
    expect((await refused('/two')).status).toBe(404);
    expect((await refused('/one/')).status).toBe(404);
    expect((await refused('/__proto__')).status).toBe(404);
    expect((await refused('/constructor')).status).toBe(404);
    const method = await refused('/one', { method: 'DELETE' });
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await refused('/one', { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(413);
  });

  it('changes by PUT what is there to be changed, with the query', async () => {
    const { url } = await open({
      changes: { '/one': (query) => json(200, { to: query.get('to') }), '/two': () => json(200, 2) },
    });
    const answer = await fetch(`${url}/one?to=5`, { method: 'PUT' });
    expect([answer.status, await answer.json()]).toEqual([200, { to: '5' }]);
    expect(await (await fetch(`${url}/one`)).json()).toEqual({ one: 1 });
    const read = await fetch(`${url}/two`);
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'PUT']);
  });

  it('refuses a body of a GET and closes the connection', async () => {
    const { port } = await open();
    const answer = await raw(port, 'GET /one HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
  });

  it('refuses what is no HTTP and headers that are too large', async () => {
    const { port } = await open();
    expect(await raw(port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"error"/s);
    expect(await raw(port, `GET /one HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 .*"error"/s,
    );
  });

  it('tells the asker nothing about what failed inside', async () => {
    const failures: [string, unknown][] = [];
    const { url } = await open({
      routes: {
        '/throws': () => {
          throw new Error('secret detail');
        },
        '/rejects': () => Promise.reject(new Error('secret detail')),
      },
      failed: (path, error) => failures.push([path, error]),
    });
    for (const path of ['/throws', '/rejects']) {
      const answer = await fetch(url + path);
      const text = await answer.text();
      expect(answer.status).toBe(500);
      expect(text).not.toMatch(/secret|at |\.ts/);
    }
    expect(failures.map(([path]) => path)).toEqual(['/throws', '/rejects']);
  });

  it('names the setting when the port is taken or the host is not ours', async () => {
    const { port } = await open();
    const second = { what: 'test server', settings: { host: 'test.host', port: 'test.port' }, routes: {} };
    await expect(listen({ ...second, host: '127.0.0.1', port, failed: () => {} })).rejects.toThrow(
      `test server: 127.0.0.1:${port} is in use by another process; set test.port to a free port`,
    );
    await expect(listen({ ...second, host: '203.0.113.1', port: 0, failed: () => {} })).rejects.toThrow(
      'set test.host to one',
    );
  });

  it('closes although a client keeps its connection open', async () => {
    const { port, close } = await open();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.write('GET /one HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    await close();
    listener = null;
    await closed;
  });
});

describe('isLoopback', () => {
  it('knows the addresses that stay within the machine', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true]);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org'].map(isLoopback)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
