import type { Clock } from '../clock.ts';

/** Redis answered with an error; `code` is its first word: `WRONGTYPE`, `NOPERM`, `OOM`, `LOADING`, … */
export class RedisReplyError extends Error {
  override name = 'RedisReplyError';
  readonly code: string;

  constructor(message: string) {
    super(message);
    // Within a script Redis 7.0 says in words what is NOPERM outside.
    const isForbidden = /^ERR (The user executing the script can't|ACL failure)/.test(message);
    this.code = isForbidden ? 'NOPERM' : (/^[A-Z][A-Z0-9]*\b/.exec(message)?.[0] ?? 'ERR');
  }

  /** The answer, and what to do about it where it does not pass by itself. */
  get advice(): string {
    if (this.code === 'NOPERM') return `the user of redis.username lacks a right: ${this.message}`;
    if (this.code !== 'OOM') return this.message;
    return `${this.message} (raise its maxmemory, or lower redis.streams.maxLength or maxAgeMs)`;
  }
}

/** There is no connection, or it ended before the answer came: then nobody knows whether the script ran. */
export class RedisConnectionError extends Error {
  override name = 'RedisConnectionError';
}

/** Why there is no connection, for people. */
export interface LinkTrouble {
  /** By the clock. */
  readonly since: number;
  readonly message: string;
}

/** What a sink hears of its connection; never from within one of its calls. */
export interface LinkListener {
  up(): void;
  down(): void;
}

/** One sink's connection to Redis, which comes back by itself; replaced in tests. */
export interface RedisLink {
  readonly isUp: boolean;
  /** Null while all is well. */
  readonly trouble: LinkTrouble | null;
  /** Resolves when the first attempt to connect has ended, one way or the other. */
  readonly tried: Promise<void>;
  /** Connects, and again after each loss, for ever. */
  start(listener: LinkListener): void;
  /**
   * Runs a script. Rejects with RedisReplyError, or with RedisConnectionError, also when no answer came in time:
   * then the connection is given up, because what comes next could not be told from what comes late.
   */
  run(script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown>;
  close(): void;
}

/** How long a start may wait to learn whether Redis is there. */
const FIRST_ATTEMPT_MS = 1_000;

/** Starts a link; resolves when it is up or failed once, soon in any case: a Redis that is away keeps nobody waiting. */
export function startLink(link: RedisLink, listener: LinkListener, clock: Clock): Promise<void> {
  link.start(listener);
  return new Promise((resolve) => {
    const cancel = clock.after(FIRST_ATTEMPT_MS, resolve);
    void link.tried.then(() => {
      cancel();
      resolve();
    });
  });
}
