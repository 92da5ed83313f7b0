import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_ANSWER_BYTES } from './ask.ts';
import { exampleStatus } from './pod-status-example.ts';
import { type PollOutcome, poll } from './poller.ts';

let server: (Server & { closeAllConnections?: () => void }) | null = null;
afterEach(async () => {
  await new Promise<void>((resolve) => {
    if (server === null) resolve();
    else {
      server.close(() => resolve());
      server.closeAllConnections?.();
    }
  });
  server = null;
});

async function listen(created: Server): Promise<URL> {
  server = created;
  await new Promise<void>((resolve) => {
    created.listen(0, '127.0.0.1', resolve);
  });
  return new URL(`http://127.0.0.1:${(created.address() as AddressInfo).port}/status`);
}

function ask(url: URL, timeoutMs = 10_000): Promise<PollOutcome> {
  return poll({ url, timeoutMs, signal: new AbortController().signal });
}

async function answerTo(listener: RequestListener): Promise<PollOutcome> {
  return ask(await listen(createServer(listener)));
}

describe('poll', () => {
  it('brings the status', async () => {
    const outcome = await answerTo((request, response) => {
      expect(request.url).toBe('/status');
      response.end(JSON.stringify(exampleStatus()));
    });
    expect(outcome).toEqual({ kind: 'answered', status: exampleStatus() });
  });

  it('says unreachable when nothing listens', async () => {
    const url = await listen(createServer());
    await new Promise((resolve) => server!.close(resolve));
    server = null;
    expect(await ask(url)).toEqual({
      kind: 'unreachable',
      reason: `nothing listens on ${url.host}: the process is gone`,
    });
  });

  it('says unreachable when the connection breaks before or within the answer', async () => {
    const before = await answerTo((request) => request.socket.destroy());
    expect(before.kind).toBe('unreachable');
    server!.close();
    const within = await answerTo((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('{');
      response.socket?.destroySoon();
    });
    expect(within.kind).toBe('unreachable');
  });

  it('says hung when nothing comes, and when the answer does not end', async () => {
    const url = await listen(createServer(() => {}));
    expect(await ask(url, 50)).toEqual({ kind: 'hung', reason: `${url.host} did not answer within 50 ms` });
    server!.close();
    const half = await listen(createServer((_request, response) => void response.write('{')));
    expect((await ask(half, 50)).kind).toBe('hung');
  });

  it.each<[string, RequestListener, RegExp]>([
    ['another status code', (_, response) => response.writeHead(500).end('{}'), /status 500/],
    ['what is not JSON', (_, response) => response.end('hello'), /not JSON/],
    [
      'another document',
      (_, response) => response.end('{"producer":1}'),
      /not a pod status: version must be/,
    ],
    ['an empty answer', (_, response) => response.end(), /not JSON/],
    [
      'more than 8 MiB',
      (_, response) => response.end(Buffer.alloc(MAX_ANSWER_BYTES + 1, 'x')),
      /larger than 8388608 bytes/,
    ],
  ])('calls %s a bad answer', async (_name, listener, reason) => {
    const outcome = await answerTo(listener);
    expect(outcome).toEqual({ kind: 'bad-answer', reason: expect.stringMatching(reason) });
  });

  it('calls what is not HTTP a bad answer', async () => {
    const url = await listen(createTcpServer((socket) => socket.resume().end('SSH-2.0-OpenSSH\r\n')));
    expect(await ask(url)).toMatchObject({ kind: 'bad-answer', reason: expect.stringContaining('not HTTP') });
  });

  it('ends at once when it is aborted', async () => {
    const url = await listen(createServer(() => stop.abort(new Error('stopping'))));
    const stop = new AbortController();
    await expect(poll({ url, timeoutMs: 60_000, signal: stop.signal })).rejects.toThrow('stopping');
    await expect(poll({ url, timeoutMs: 60_000, signal: stop.signal })).rejects.toThrow('stopping');
  });
});
