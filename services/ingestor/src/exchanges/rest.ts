import { ListingError, type ListingSource } from './exchange.ts';
import { refusalPauseMs } from './retry-after.ts';

/** The largest listing that we read: Binance's is some 15 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Gets a JSON document from an exchange. Rejects with a ListingError that names the host and the
 * cause (`ENOTFOUND`, `HTTP 451`, no answer within …), and how long to wait when the exchange says so.
 */
export async function fetchJson(url: URL, source: ListingSource): Promise<unknown> {
  const timeout = AbortSignal.timeout(source.timeoutMs);
  const signal = AbortSignal.any([source.signal, timeout]);
  try {
    // A redirect would lead to an address that nobody configured: it is shown as the status it is.
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json' },
    });
    if (!response.ok) {
      const excerpt = (await readBounded(response, 4096, true)).slice(0, 200).replace(/\s+/g, ' ').trim();
      throw new ListingError(
        `${url.host} answered ${describeStatus(response)}${excerpt === '' ? '' : `: ${excerpt}`}`,
        { pauseMs: pauseFor(response) },
      );
    }
    const text = await readBounded(response, MAX_ANSWER_BYTES, false);
    return parse(text, url.host);
  } catch (error) {
    if (error instanceof ListingError) throw error;
    if (source.signal.aborted)
      throw new ListingError(`${url.host}: given up, the process stops`, { cause: error });
    if (timeout.aborted) {
      throw new ListingError(`${url.host} did not answer within ${source.timeoutMs} ms`, { cause: error });
    }
    throw new ListingError(`${url.host} could not be reached: ${describeCause(error)}`, { cause: error });
  }
}

/** An address below the exchange's REST base. */
export function restUrl(base: string, path: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(`${base.replace(/\/+$/, '')}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** `ENOTFOUND api.binance.com`: the innermost cause, which alone says what happened. */
export function describeCause(error: unknown): string {
  let inner: unknown = error;
  for (let depth = 0; depth < 8; depth++) {
    // Trying both address families gives an AggregateError without a message of its own.
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0];
    else if (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
    else break;
  }
  if (!(inner instanceof Error)) return String(inner);
  const code: unknown = 'code' in inner ? inner.code : undefined;
  return typeof code === 'string' && !inner.message.includes(code)
    ? `${code} ${inner.message}`
    : inner.message;
}

function describeStatus(response: Response): string {
  const retryAfter = response.headers.get('retry-after');
  const hint =
    response.status === 451 || response.status === 403 ? ' (refused for this address or country)' : '';
  return `HTTP ${response.status}${hint}${retryAfter === null ? '' : `, retry after ${retryAfter} s`}`;
}

function pauseFor(response: Response): number | null {
  return refusalPauseMs(response.status, response.headers.get('retry-after') ?? undefined, Date.now());
}

function parse(text: string, host: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ListingError(`${host} answered something that is not JSON: ${text.slice(0, 100)}`, {
      cause: error,
    });
  }
}

async function readBounded(response: Response, limit: number, cut: boolean): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= limit) continue;
    if (cut) break;
    throw new ListingError(`${new URL(response.url).host} answered more than ${limit} bytes`);
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
