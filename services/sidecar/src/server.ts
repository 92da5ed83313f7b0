import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer, made from memory when it is asked for. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the sidecar serves. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** By exact path. */
  readonly routes: Readonly<Record<string, () => Answer | Promise<Answer>>>;
  /** A route failed; its asker gets one sentence without the cause. */
  failed(path: string, error: unknown): void;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:9466`, without path. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts the sidecar's HTTP server: known paths (404), GET and HEAD (405), no request body (413), short timeouts,
 * every refusal one JSON sentence. Rejects with a sentence that names the setting when it can't listen.
 */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 20_000,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => void handle(options, request, response),
  );
  server.maxConnections = 64;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(options, error)));
    server.listen(options.port, options.host, () => {
      const { address, port, family } = server.address() as AddressInfo;
      resolve({
        url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
        close: () =>
          new Promise((done) => {
            const grace = setTimeout(() => server.closeAllConnections(), 1_000);
            server.close(() => {
              clearTimeout(grace);
              done();
            });
          }),
      });
    });
  });
}

/** An answer in JSON. */
export function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

async function handle(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0]!;
  const route = Object.hasOwn(options.routes, path) ? options.routes[path] : undefined;
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers;
  if (encoding !== undefined || Number(length ?? 0) > 0) {
    // The body is not read: the connection can't be used again.
    response.setHeader('Connection', 'close');
    return send(request, response, json(413, { error: 'No request body is taken here.' }));
  }
  if (route === undefined) {
    const known = Object.keys(options.routes).join(', ');
    return send(
      request,
      response,
      json(404, { error: `Nothing is served under this path. There is: ${known}.` }),
    );
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(request, response, json(405, { error: 'Only GET and HEAD are answered here.' }));
  }
  try {
    send(request, response, await route());
  } catch (error) {
    options.failed(path, error);
    send(request, response, json(500, { error: 'The answer could not be made; the log says why.' }));
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function cannotListen({ host, port }: ServerOptions, error: NodeJS.ErrnoException): Error {
  const place = `${host}:${port}`;
  const text =
    error.code === 'EADDRINUSE'
      ? `${place} is in use by another process; set listen.port to a free port`
      : `can't listen on ${place} (${error.message}); see listen.host and listen.port`;
  return new Error(text, { cause: error });
}
