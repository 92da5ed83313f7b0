import type { IncomingHttpHeaders } from 'node:http';
import type { FailureLimiter } from './failure-limiter.ts';
import { admitsSession, SESSION_MS, type SessionHolder, sessionOf, signSession } from './session-cookie.ts';
import type { TokenFile } from './token-file.ts';

/** What of a request decides whether it is let in. */
export interface Caller {
  readonly headers: IncomingHttpHeaders;
  /** The other end of the socket: the proxy's where there is one. */
  readonly address: string;
}

/** Let in; or who is not known (401); or what is not allowed (403); or too many wrong tokens (429). */
export type Decision =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'forbidden'; readonly reason: string }
  | { readonly kind: 'wait'; readonly seconds: number };

/** The same for a login, which brings a session's cookie value when the token is right. */
export type LoginDecision =
  | Exclude<Decision, { kind: 'admitted' }>
  | { readonly kind: 'session'; readonly value: string };

const ADMITTED: Decision = { kind: 'admitted' };

/** Decides who may read and who may change something. */
export class Access {
  private readonly tokens: TokenFile | null;
  private readonly limiter: FailureLimiter;
  private readonly isLocal: boolean;
  private refusedCount = 0;

  /**
   * @param tokens null: no token is configured, and everybody who reaches us may read
   * @param host what we listen on: without token, changes are for this machine only
   */
  constructor(tokens: TokenFile | null, limiter: FailureLimiter, host: string) {
    this.tokens = tokens;
    this.limiter = limiter;
    this.isLocal = isLoopback(host);
  }

  /** Whether a login is needed to read. */
  get asksForToken(): boolean {
    return this.tokens !== null;
  }

  /** Wrong tokens so far. */
  get refused(): number {
    return this.refusedCount;
  }

  /** The page, the status, and what belongs to them. */
  read(caller: Caller): Decision {
    return this.admit(caller, ['person', 'peer']);
  }

  /** What changes something. */
  change(caller: Caller): Decision {
    if (!isSameOrigin(caller.headers)) {
      return { kind: 'forbidden', reason: 'The request comes from a page of another origin.' };
    }
    if (this.tokens !== null) return this.admit(caller, ['person']);
    if (!this.isLocal) {
      const reason =
        'Without auth.tokenFile nothing can be changed over listen.host that others reach; set auth.tokenFile.';
      return { kind: 'forbidden', reason };
    }
    // A page of any site can have its own name lead to 127.0.0.1 (DNS rebinding); it can't choose this header.
    const host = hostOf(caller.headers.host);
    if (host === null || !isLoopback(host)) {
      return { kind: 'forbidden', reason: 'The request names another host than this machine.' };
    }
    return ADMITTED;
  }

  /** Judges the token of a login form. */
  login(token: string, caller: Caller): LoginDecision {
    if (!isSameOrigin(caller.headers)) {
      return { kind: 'forbidden', reason: 'The request comes from a page of another origin.' };
    }
    if (this.tokens === null) return { kind: 'forbidden', reason: 'No token is configured.' };
    const decision = this.token(token, caller.address);
    if (decision.kind !== 'admitted') return decision;
    return {
      kind: 'session',
      value: signSession(this.tokens.sessionKeys()[0]!, 'person', Date.now() + SESSION_MS),
    };
  }

  private admit({ headers, address }: Caller, holders: readonly SessionHolder[]): Decision {
    const { tokens } = this;
    if (tokens === null) return ADMITTED;
    // Of another scheme it is for a proxy before us, such as the user and password that it asks for.
    const bearer = /^Bearer +(\S*) *$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.token(bearer, address);
    const session = sessionOf(headers.cookie);
    const isHeldBy = (holder: SessionHolder) =>
      session !== null && admitsSession(tokens.sessionKeys(), holder, session, Date.now());
    // A signature of 256 bits can't be guessed: an old cookie is no failure to count.
    if (holders.some(isHeldBy)) return ADMITTED;
    return { kind: 'unknown', reason: 'A token is needed: Authorization: Bearer …, or log in at /login.' };
  }

  private token(token: string, address: string): Decision {
    const seconds = this.limiter.waitSeconds(address);
    // Before the comparison: whoever guesses learns nothing while he waits, not even of the right one.
    if (seconds > 0) return { kind: 'wait', seconds };
    if (this.tokens?.admits(token)) return ADMITTED;
    this.refusedCount++;
    this.limiter.failed(address);
    return { kind: 'unknown', reason: 'The token is wrong.' };
  }
}

/**
 * False when a browser says that the request was made by a page of another origin (Fetch Metadata, section 2.3;
 * where it does not say, as over plain HTTP, by `Origin`, RFC 6454, section 7). Programs that are no browser send
 * neither.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase();
}

/** True for addresses that only this machine (or this pod) can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** `[::1]:9466` → `::1`. */
function hostOf(header: string | undefined): string | null {
  if (header === undefined || !URL.canParse(`http://${header}`)) return null;
  return new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '');
}
