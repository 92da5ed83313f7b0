import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseFault } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { Simulator } from './simulator.ts';
import type { ReplayOptions } from './tape.ts';

/** The control interface of a simulator that runs as a process of its own. */
export interface ControlServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

const linesPerChunk = 500;

async function body(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('the body must be a JSON object');
  return value as Record<string, unknown>;
}

function forget(ledger: Ledger, { forgetBefore }: Record<string, unknown>): { forgotten: number } {
  if (typeof forgetBefore !== 'number') throw new Error('forgetBefore must be a position in the ledger');
  ledger.forgetBefore(forgetBefore);
  return { forgotten: ledger.forgotten };
}

async function streamLedger(ledger: Ledger, since: number, response: ServerResponse): Promise<void> {
  // Only what is there now: a growing ledger would never end.
  const size = ledger.size;
  // Asked before the head is written: what is forgotten answers 400, and no part of it.
  if (since < size) ledger.at(since);
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'x-ledger-size': String(size) });
  for (let index = since; index < size; ) {
    let lines = '';
    // Forgotten while it is sent: the answer breaks off.
    for (const end = Math.min(size, index + linesPerChunk); index < end; index++) {
      lines += `${JSON.stringify(ledger.at(index))}\n`;
    }
    if (response.destroyed) return;
    if (!response.write(lines)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    else await new Promise(setImmediate);
  }
  response.end();
}

async function answer(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const reply = (value: unknown, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  const since = Number(url.searchParams.get('since') ?? 0);
  if (!Number.isInteger(since) || since < 0) throw new Error('since must be a whole number from 0 on');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /stats':
      reply({ ...simulator.stats(), ledger: simulator.ledger.size });
      break;
    case 'GET /ledger':
      await streamLedger(simulator.ledger, since, response);
      break;
    case 'POST /ledger':
      reply(forget(simulator.ledger, await body(request)));
      break;
    case 'GET /unheard':
      await streamLedger(simulator.unheard, since, response);
      break;
    case 'POST /unheard':
      reply(forget(simulator.unheard, await body(request)));
      break;
    case 'GET /connections':
      reply(simulator.connections);
      break;
    case 'GET /violations':
      reply(simulator.violations);
      break;
    case 'GET /symbols':
      reply(simulator.symbols);
      break;
    case 'POST /market': {
      const { running, rate } = await body(request);
      if (rate !== undefined) simulator.setRate(Number(rate));
      if (running === true) simulator.startMarket();
      if (running === false) simulator.stopMarket();
      reply(simulator.stats());
      break;
    }
    case 'POST /fault':
      reply({ connections: simulator.fault(parseFault(await body(request))) });
      break;
    case 'POST /tape': {
      const options = await body(request);
      if (typeof options.file !== 'string') throw new Error('file must be the path of a recording');
      reply(await simulator.replay(options as unknown as ReplayOptions));
      break;
    }
    default:
      reply({ error: `no such path: ${request.method} ${url.pathname}` }, 404);
  }
}

/**
 * Serves a simulator's control interface on 127.0.0.1: `GET /stats`, `/ledger` and `/unheard` (one JSON line per
 * tick, from `?since=N`), `/connections`, `/violations`, `/symbols`; `POST /market` `{running?, rate?}`, `/fault`
 * (a `Fault`), `/tape` (`ReplayOptions`), `/ledger` and `/unheard` (`{forgetBefore}`: positions before that one are
 * needed no more, and answered with 400 from then on; a long run's memory stays flat). What makes no sense is answered with 400 and `{"error": …}`.
 */
export async function startControlServer(simulator: Simulator, port = 0): Promise<ControlServer> {
  const server = createServer((request, response) => {
    answer(simulator, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
