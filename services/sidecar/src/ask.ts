import { type IncomingMessage, request } from 'node:http';

/** Largest answer that is taken. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** How to ask. */
export interface AskOptions {
  readonly url: URL;
  /** For everything: the connection, the answer and its body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Default GET. */
  readonly method?: 'GET' | 'PUT';
  /** The header `Cookie`. */
  readonly cookie?: string;
}

/** What came of a question over HTTP. */
export type AskOutcome =
  /** `body` is null when it was larger than {@link MAX_ANSWER_BYTES}. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: Buffer | null }
  | { readonly kind: 'late' }
  | { readonly kind: 'broken'; readonly error: NodeJS.ErrnoException };

/** Asks once. Never rejects, except with the signal's reason when it is aborted. */
export function ask(options: AskOptions): Promise<AskOutcome> {
  const { url, timeoutMs, signal, method = 'GET', cookie } = options;
  return new Promise((resolve, reject) => {
    const headers = {
      Accept: 'application/json',
      ...(cookie === undefined ? {} : { Cookie: cookie }),
    };
    // A connection of its own for each question: what a refused connection says is not hidden by a kept one.
    const asked = request(url, { agent: false, method, headers });
    const end = () => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', abort);
      asked.destroy();
    };
    const finish = (outcome: AskOutcome) => {
      end();
      resolve(outcome);
    };
    const abort = () => {
      end();
      reject(signal.reason);
    };
    const deadline = setTimeout(() => finish({ kind: 'late' }), timeoutMs);
    asked.on('error', (error) => finish({ kind: 'broken', error }));
    asked.on('response', (response) => {
      readBody(response).then(
        (body) => finish({ kind: 'answered', status: response.statusCode ?? 0, body }),
        (error: NodeJS.ErrnoException) => finish({ kind: 'broken', error }),
      );
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    asked.end();
  });
}

/** True when what answered does not speak HTTP: the codes of Node's parser. */
export function isNotHttp(error: NodeJS.ErrnoException): boolean {
  return error.code?.startsWith('HPE_') ?? false;
}

/** The body, or null as soon as it is larger than {@link MAX_ANSWER_BYTES}. */
function readBody(response: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) resolve(null);
      else chunks.push(chunk);
    });
    response.on('end', () => resolve(Buffer.concat(chunks)));
    response.on('error', reject);
  });
}
