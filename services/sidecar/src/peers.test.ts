import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PeerOptions, Peers } from './peers.ts';
import { exampleExchange, exampleStatus } from './pod-status-example.ts';

let servers: Server[];
let signal: AbortSignal;
beforeEach(() => {
  servers = [];
  signal = new AbortController().signal;
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const sidecar = (id: string) => ({
  id,
  ingestor: {
    state: 'up',
    reason: 'it answers',
    status: exampleStatus({
      assignment: 'a1',
      exchanges: [exampleExchange({ units: { configured: 4, owned: 2 } })],
    }),
  },
});

const peers = (changed: Partial<PeerOptions>) =>
  new Peers({
    host: null,
    port: 1,
    addresses: [],
    timeoutMs: 10_000,
    self: 'self',
    cookie: () => null,
    ...changed,
  });

describe('Peers', () => {
  it('is nobody unless it is configured', async () => {
    const none = peers({});
    await none.refresh(signal);
    expect([none.areConfigured, none.pods(0)]).toEqual([false, []]);
  });

  it('reads the other sidecars that DNS names, each once, without ourselves', async () => {
    let headers: IncomingHttpHeaders = {};
    const port = await listen((request, response) => {
      headers = request.headers;
      response.end(JSON.stringify(sidecar('other')));
    });
    // One pod under two addresses.
    const found = peers({
      host: 'pods',
      port,
      cookie: () => 'tickline_session=ours',
      resolve: async () => ['127.0.0.1', 'localhost'],
    });
    await found.refresh(signal);
    expect(found.pods(performance.now())).toEqual([
      {
        address: `127.0.0.1:${port}`,
        peer: 'answers',
        reason: 'its sidecar answers',
        ageSeconds: expect.any(Number),
        ingestor: expect.objectContaining({
          state: 'up',
          shard: { index: 1, count: 2 },
          assignment: 'a1',
          units: [{ exchange: 'binance', configured: 4, owned: 2 }],
        }),
      },
    ]);
    expect(headers.cookie).toBe('tickline_session=ours');

    const own = peers({ addresses: [`127.0.0.1:${port}`], self: 'other' });
    await own.refresh(signal);
    expect(own.pods(0)).toEqual([]);
  });

  it('asks the system for the addresses of a name', async () => {
    const port = await listen((_request, response) => response.end(JSON.stringify(sidecar('other'))));
    const found = peers({ host: 'localhost', port });
    await found.refresh(signal);
    expect(found.pods(0)[0]).toMatchObject({ address: `127.0.0.1:${port}`, peer: 'answers' });
    const nobody = peers({ host: 'nobody.invalid', port });
    await nobody.refresh(signal);
    expect(nobody.dnsProblem).toMatch(/^peers\.host nobody\.invalid can't be resolved \(E\w+\)$/);
  });

  it('shows a pod as gone that DNS names no longer, and finds it again', async () => {
    const port = await listen((_request, response) => response.end(JSON.stringify(sidecar('other'))));
    let addresses = ['127.0.0.1'];
    const found = peers({ host: 'pods', port, resolve: async () => addresses });
    await found.refresh(signal);
    addresses = [];
    await found.refresh(signal);
    expect(found.pods(0)[0]).toMatchObject({ peer: 'gone', ingestor: { producer: 'p1' } });
    addresses = ['127.0.0.1'];
    await found.refresh(signal);
    expect(found.pods(0)[0]).toMatchObject({ peer: 'answers' });
  });

  it('keeps those that it knows while DNS does not answer, and says so', async () => {
    const port = await listen((_request, response) => response.end(JSON.stringify(sidecar('other'))));
    let isAway = false;
    const found = peers({
      host: 'pods',
      port,
      resolve: async () => {
        if (isAway) throw Object.assign(new Error('x'), { code: 'EAI_AGAIN' });
        return ['127.0.0.1'];
      },
    });
    await found.refresh(signal);
    isAway = true;
    await found.refresh(signal);
    expect(found.pods(0)[0]?.peer).toBe('answers');
    expect(found.dnsProblem).toBe("peers.host pods can't be resolved (EAI_AGAIN)");
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      'refused',
      (_, response) => response.writeHead(401).end('{}'),
      /does not take our token .* auth.tokenFile/,
    ],
    ['bad-answer', (_, response) => response.writeHead(500).end('{}'), /status 500/],
    ['bad-answer', (_, response) => response.end('hello'), /not a sidecar's status/],
    [
      'bad-answer',
      (_, response) => response.end('{"id":"x","ingestor":{}}'),
      /ingestor.state must be one of/,
    ],
    ['silent', () => {}, /did not answer within 50 ms/],
    ['unreachable', (request) => request.socket.destroy(), /can't be reached/],
  ])('says %s', async (state, listener, reason) => {
    const port = await listen(listener);
    const found = peers({ addresses: [`127.0.0.1:${port}`], timeoutMs: state === 'silent' ? 50 : 10_000 });
    await found.refresh(signal);
    expect(found.pods(0)).toEqual([
      {
        address: `127.0.0.1:${port}`,
        peer: state,
        reason: expect.stringMatching(reason),
        ingestor: null,
        ageSeconds: null,
      },
    ]);
  });
});
