import { type IncomingMessage, request } from 'node:http';
import { type PodStatus, readPodStatus } from '@tickline/schemas';

/** Largest answer that is taken. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What came of one question to the ingestor; `reason` is one sentence. */
export type PollOutcome =
  | { readonly kind: 'answered'; readonly status: PodStatus }
  /** Nothing listens there, or the connection broke: the process is gone (or not there yet). */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The address takes connections but nobody answers: the process is there and stuck or stopped. */
  | { readonly kind: 'hung'; readonly reason: string }
  /** Something answered, but not with a pod status. */
  | { readonly kind: 'bad-answer'; readonly reason: string };

/** How to ask. */
export interface PollOptions {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks the ingestor once. Never rejects, except with the signal's reason when it is aborted. */
export function poll(options: PollOptions): Promise<PollOutcome> {
  const { url, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    // A connection of its own for each question: what a refused connection says is not hidden by a kept one.
    const asked = request(url, { agent: false, headers: { Accept: 'application/json' } });
    const finish = (outcome: PollOutcome) => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', abort);
      asked.destroy();
      resolve(outcome);
    };
    const abort = () => {
      clearTimeout(deadline);
      asked.destroy();
      reject(signal.reason);
    };
    // One deadline for everything. A connect that is not even refused counts as hung too: on the pod's own
    // loopback it means that the listener's backlog is full, because nobody accepts.
    const deadline = setTimeout(() => {
      finish({ kind: 'hung', reason: `${url.host} did not answer within ${timeoutMs} ms` });
    }, timeoutMs);
    asked.on('error', (error: NodeJS.ErrnoException) => finish(brokenConnection(url, error)));
    asked.on('response', (response) => {
      readBody(response).then(
        (body) => finish(judge(response, body)),
        (error: NodeJS.ErrnoException) => finish(brokenConnection(url, error)),
      );
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    asked.end();
  });
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

function judge(response: IncomingMessage, body: Buffer | null): PollOutcome {
  const bad = (reason: string): PollOutcome => ({ kind: 'bad-answer', reason });
  if (body === null) return bad(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
  if (response.statusCode !== 200) return bad(`the answer has status ${response.statusCode} instead of 200`);
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    return bad('the answer is not JSON');
  }
  try {
    return { kind: 'answered', status: readPodStatus(document) };
  } catch (error) {
    return bad(`the answer is not a pod status: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function brokenConnection(url: URL, error: NodeJS.ErrnoException): PollOutcome {
  switch (error.code) {
    case 'ECONNREFUSED':
      return { kind: 'unreachable', reason: `nothing listens on ${url.host}: the process is gone` };
    case 'ECONNRESET':
    case 'EPIPE':
      return { kind: 'unreachable', reason: `${url.host} broke the connection off: the process is ending` };
    default:
      // The parser's codes: what listens there does not speak HTTP.
      return error.code?.startsWith('HPE_')
        ? { kind: 'bad-answer', reason: `the answer is not HTTP (${error.code})` }
        : { kind: 'unreachable', reason: `${url.host} can't be reached: ${error.message}` };
  }
}
