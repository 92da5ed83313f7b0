import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer, made from memory when it is asked for. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a route sees of a request. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** The other end of the socket. */
  readonly address: string;
  /** Empty unless the route takes one. */
  readonly body: string;
}

/** Takes over an answer that does not end. */
export type StreamStart = (response: ServerResponse) => void;

/** Answers one method of one path. */
export interface Route {
  /** Largest body that is taken; not set: none. */
  readonly bodyBytes?: number;
  answer(asked: Asked): Answer | StreamStart | Promise<Answer>;
}

/** By method. HEAD is answered where GET is. */
export type Routes = Readonly<Record<string, Readonly<Partial<Record<'GET' | 'PUT' | 'POST', Route>>>>>;

/** What the sidecar serves. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** By exact path. */
  readonly routes: Routes;
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
 * Headers of every answer. The policy lets the page load its own files and nothing else, in no frame; browsers
 * take it from whatever they show, so that all answers have it.
 */
const SAFE_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/**
 * Starts the sidecar's HTTP server: known paths (404) and methods (405), a body only where one is taken and no
 * larger than there (413), short timeouts, every refusal one JSON sentence. Rejects with a sentence that names the
 * setting when it can't listen.
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
  server.maxConnections = 128;
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
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n`, headers };
}

async function handle(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', query = ''] = splitOnce(request.url ?? '', '?');
  const methods = Object.hasOwn(options.routes, path) ? options.routes[path]! : null;
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const route = methods !== null && isMethodOf(methods, method) ? methods[method]! : null;
  const refuse = (status: number, error: string) => {
    // A body that is not read leaves the connection unfit for another request.
    if (announcesBody(request)) response.setHeader('Connection', 'close');
    send(request, response, json(status, { error }));
  };
  if (methods === null) {
    return refuse(
      404,
      `Nothing is served under this path. There is: ${Object.keys(options.routes).join(', ')}.`,
    );
  }
  if (route === null) {
    const allowed = Object.keys(methods).flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
    response.setHeader('Allow', allowed.join(', '));
    return refuse(405, `Only ${allowed.join(', ')} is answered here.`);
  }
  try {
    const body = announcesBody(request) ? await readBody(request, route.bodyBytes ?? 0) : '';
    if (body === null) {
      const most = route.bodyBytes;
      return refuse(
        413,
        most === undefined ? 'No request body is taken here.' : `At most ${most} bytes are taken here.`,
      );
    }
    const answer = await route.answer({
      headers: request.headers,
      query: new URLSearchParams(query),
      address: request.socket.remoteAddress ?? '',
      body,
    });
    if (typeof answer !== 'function') send(request, response, answer);
    else if (request.method === 'HEAD')
      send(request, response, { status: 200, contentType: 'text/event-stream', body: '' });
    else {
      for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
      answer(response);
    }
  } catch (error) {
    options.failed(path, error);
    if (response.headersSent) response.destroy();
    else send(request, response, json(500, { error: 'The answer could not be made; the log says why.' }));
  }
}

function isMethodOf<T extends object>(methods: T, method: string): method is keyof T & string {
  return Object.hasOwn(methods, method);
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The body, or null when it is larger than `most`: then no more of it is read. */
async function readBody(request: IncomingMessage, most: number): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? 0) > most || most === 0) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > most) {
        request.pause();
        resolve(null);
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
    ...SAFE_HEADERS,
    ...answer.headers,
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
