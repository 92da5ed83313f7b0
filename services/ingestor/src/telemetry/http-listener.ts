import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answer to a request, made when it is asked for. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers one path; what it throws becomes a 500 without detail and goes to `failed`. */
export type HttpRoute = (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;

/** What a listener needs. */
export interface HttpListenerOptions {
  /** What listens here, for errors: `status server`. */
  readonly what: string;
  /** Names of the settings, for errors. */
  readonly settings: { readonly host: string; readonly port: string };
  readonly host: string;
  /** 0 takes a free port; `HttpListener.port` says which. */
  readonly port: number;
  /** By exact path. These read only: GET and HEAD. */
  readonly routes: Readonly<Record<string, HttpRoute>>;
  /** By exact path too, those that change something: PUT. All they need is in the query. */
  readonly changes?: Readonly<Record<string, HttpRoute>>;
  /** A route failed. The asker gets one sentence, the cause comes here. */
  failed(path: string, error: unknown): void;
}

/** A server that listens. */
export interface HttpListener {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:8081`, without path. */
  readonly url: string;
  /** Stops listening, lets running answers end for a second, then cuts them. */
  close(): Promise<void>;
}

const HEADER_BYTES = 8 * 1024;
const CONNECTIONS = 64;
const CLOSE_GRACE_MS = 1_000;

/**
 * Starts a small, strict HTTP/1.1 server for answers that are made from memory: known paths only (404), GET and
 * HEAD, and PUT where something is to be changed (405), no request body (413), headers up to 8 KiB (431), few connections, short timeouts. Every
 * error is one JSON sentence. Rejects with a sentence that names the setting when it can't listen.
 */
export function listen(options: HttpListenerOptions): Promise<HttpListener> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 20_000,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => void handle(options, request, response),
  );
  server.maxConnections = CONNECTIONS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, text] =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', `The request's headers exceed ${HEADER_BYTES} bytes.`]
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? ['408 Request Timeout', 'The request did not arrive in time.']
          : ['400 Bad Request', 'The request is not HTTP/1.1.'];
    const body = sentence(text);
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(options, error)));
    server.listen(options.port, options.host, () => {
      server.removeAllListeners('error');
      server.on('error', (error) => options.failed('', error));
      const { address, port, family } = server.address() as AddressInfo;
      const host = family === 'IPv6' ? `[${address}]` : address;
      resolve({ host: address, port, url: `http://${host}:${port}`, close: () => close(server) });
    });
  });
}

/** True for addresses that only this machine (or this pod) can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** An answer in JSON. `replacer` as in `JSON.stringify`. */
export function json(
  status: number,
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): HttpAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, replacer)}\n` };
}

async function handle(
  options: HttpListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '';
  const path = target.split('?', 1)[0]!;
  const read = routeAt(options.routes, path);
  const change = routeAt(options.changes ?? {}, path);
  if (hasBody(request)) {
    // The body is not read: the connection can't be used again.
    response.setHeader('Connection', 'close');
    return send(request, response, refusal(413, 'No request body is taken here.'));
  }
  if (read === undefined && change === undefined) {
    const known = Object.keys(options.routes).join(', ');
    return send(request, response, refusal(404, `Nothing is served under this path. There is: ${known}.`));
  }
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const route = reads ? read : request.method === 'PUT' ? change : undefined;
  if (route === undefined) {
    const allowed = [
      ...(read === undefined ? [] : ['GET', 'HEAD']),
      ...(change === undefined ? [] : ['PUT']),
    ];
    response.setHeader('Allow', allowed.join(', '));
    return send(request, response, refusal(405, `Only ${allowed.join(' and ')} are answered here.`));
  }
  try {
    send(request, response, await route(new URLSearchParams(target.slice(path.length))));
  } catch (error) {
    options.failed(path, error);
    if (!response.headersSent) {
      send(
        request,
        response,
        refusal(500, 'The answer could not be made; the log of this process says why.'),
      );
    } else {
      response.destroy();
    }
  }
}

function routeAt(routes: Readonly<Record<string, HttpRoute>>, path: string): HttpRoute | undefined {
  return Object.hasOwn(routes, path) ? routes[path] : undefined;
}

function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function refusal(status: number, text: string): HttpAnswer {
  return { status, contentType: 'application/json', body: sentence(text) };
}

function sentence(text: string): string {
  return `${JSON.stringify({ error: text })}\n`;
}

function cannotListen(options: HttpListenerOptions, error: NodeJS.ErrnoException): Error {
  const { what, settings, host, port } = options;
  const place = `${host}:${port}`;
  const text =
    error.code === 'EADDRINUSE'
      ? `${what}: ${place} is in use by another process; set ${settings.port} to a free port`
      : error.code === 'EACCES'
        ? `${what}: this user may not listen on port ${port}; set ${settings.port} to 1024 or above`
        : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
          ? `${what}: ${host} is no address of this machine; set ${settings.host} to one`
          : `${what}: can't listen on ${place} (${error.message}); see ${settings.host} and ${settings.port}`;
  return new Error(text, { cause: error });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(grace);
      resolve();
    });
    server.closeIdleConnections();
  });
}
