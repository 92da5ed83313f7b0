import type { RedisServerOptions } from './options.ts';

/** What is wrong with a connection, and whether somebody has to do something about it. */
export interface Diagnosis {
  readonly message: string;
  /** True: the settings are at fault, and coming back soon is of no use. */
  readonly isRefusal: boolean;
}

/** An error as the client library gives it: what lies behind it may be the one that tells. */
interface ClientError {
  readonly message: string;
  readonly code?: unknown;
  readonly lastNodeError?: unknown;
}

/** Names the setting behind a failed connection. Only messages are used: error objects hold the commands, with secrets. */
export function diagnose(error: unknown, options: RedisServerOptions): Diagnosis {
  const { message, code } = tellingError(error);
  const where = `redis.addresses (${options.addresses.join(', ')})`;
  if (/^(WRONGPASS|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/.test(message)) {
    const login =
      options.mode === 'sentinel'
        ? 'redis.username and redis.passwordFile, or of redis.sentinel.username and redis.sentinel.passwordFile'
        : 'redis.username and redis.passwordFile';
    return { message: `Redis refuses the login of ${login}: ${message}`, isRefusal: true };
  }
  if (/^NOAUTH/.test(message)) {
    return {
      message: `Redis wants a login: set redis.username and redis.passwordFile (${message})`,
      isRefusal: true,
    };
  }
  if (/^NOPERM/.test(message)) {
    return { message: `the user of redis.username lacks a right: ${message}`, isRefusal: true };
  }
  if (/^READONLY/.test(message)) {
    return { message: `Redis at ${where} is a replica, which takes no writes: ${message}`, isRefusal: false };
  }
  if (/^ERR (DB index|SELECT)/.test(message)) {
    return { message: `redis.database can't be used: ${message}`, isRefusal: true };
  }
  if (isTlsError(code, message)) {
    const settings = options.tls === null ? 'redis.tls.enabled' : 'redis.tls (caFile, certFile, keyFile)';
    return { message: `no TLS connection to Redis with ${settings}: ${message}`, isRefusal: true };
  }
  if (options.mode === 'sentinel' && /sentinel/i.test(message)) {
    return {
      message: `no sentinel of ${where} names a master redis.sentinel.master "${options.master}": ${message}`,
      isRefusal: false,
    };
  }
  if (/^Connection is closed|ECONNRESET/.test(message)) {
    const hint = options.tls === null ? '; if it speaks TLS, set redis.tls.enabled' : '';
    return { message: `Redis at ${where} ended the connection${hint}`, isRefusal: false };
  }
  const hint =
    options.tls !== null && /ETIMEDOUT/.test(message) ? '; does it speak TLS (redis.tls.enabled)?' : '';
  return { message: `Redis at ${where} does not answer: ${message}${hint}`, isRefusal: false };
}

function tellingError(error: unknown): { message: string; code: string } {
  let at = error;
  // A Cluster's error holds the one of the last node asked.
  while (isClientError(at) && isClientError(at.lastNodeError)) at = at.lastNodeError;
  if (!isClientError(at)) return { message: String(error), code: '' };
  const code = typeof at.code === 'string' ? at.code : '';
  return { message: at.message === '' ? code : at.message, code };
}

function isClientError(error: unknown): error is ClientError {
  return (
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
  );
}

/** Codes of Node's TLS, and OpenSSL's verification errors by name (X509_V_ERR_… without the prefix). */
function isTlsError(code: string, message: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code) ||
    /certificate|wrong version number|SSL routines|TLS connection was established/.test(message)
  );
}
