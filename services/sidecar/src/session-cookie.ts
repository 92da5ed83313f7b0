import { createHmac, timingSafeEqual } from 'node:crypto';

/** Name of the cookie that the login form sets. */
export const SESSION_COOKIE = 'tickline_session';
/** How long a login lasts. */
export const SESSION_MS = 12 * 3_600_000;
/** How long what a sidecar shows to another is good for: clocks may differ by so much. */
const PEER_SESSION_MS = 5 * 60_000;

/** Who has a session: somebody who logged in, or another sidecar, which may only read. */
export type SessionHolder = 'person' | 'peer';

/**
 * A session as a cookie's value: when it ends, signed. No sidecar keeps a list of them: all that have the same
 * token take it, and it ends when the token is replaced.
 */
export function signSession(key: Buffer, holder: SessionHolder, endsAt: number): string {
  return `${endsAt}.${signatureOf(key, holder, endsAt)}`;
}

/** Whether one of the keys signed it for such a holder and it has not ended. */
export function admitsSession(
  keys: readonly Buffer[],
  holder: SessionHolder,
  value: string,
  now: number,
): boolean {
  const match = /^(\d{1,16})\.([\w-]{43})$/.exec(value);
  if (match === null) return false;
  const endsAt = Number(match[1]);
  const given = Buffer.from(match[2]!);
  let signed = false;
  for (const key of keys) {
    signed = timingSafeEqual(Buffer.from(signatureOf(key, holder, endsAt)), given) || signed;
  }
  return signed && now < endsAt;
}

/** The value of the session's cookie in a `Cookie` header; null when there is none. */
export function sessionOf(header: string | undefined): string | null {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === SESSION_COOKIE && value !== undefined) return value;
  }
  return null;
}

/**
 * A `Cookie` header for a question to another sidecar. Not the token: whoever takes a peer's address (a name server
 * that lies, a pod that was given the address of one that is gone) has what reads a status for some minutes.
 */
export function peerCookie(key: Buffer, now: number): string {
  return `${SESSION_COOKIE}=${signSession(key, 'peer', now + PEER_SESSION_MS)}`;
}

/**
 * A `Set-Cookie` header: not readable by scripts, never sent along from another site, and only over TLS where
 * the request came by it. Without a path it is for the folder of the login form (RFC 6265, section 5.1.4): a proxy may
 * serve us below another path, and others beside it. An empty value ends the session.
 */
export function cookieHeader(value: string, secure: boolean): string {
  const seconds = value === '' ? 0 : SESSION_MS / 1000;
  return `${SESSION_COOKIE}=${value}; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`;
}

function signatureOf(key: Buffer, holder: SessionHolder, endsAt: number): string {
  return createHmac('sha256', key).update(`${holder} ${endsAt}`).digest('base64url');
}
