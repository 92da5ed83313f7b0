import { createHash, scryptSync, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A shorter token could be guessed. */
export const LEAST_TOKEN_CHARACTERS = 16;
/** How often the file is looked at: a rotated token is in force at most so much later. */
const LOOK_EVERY_MS = 5_000;
const LARGEST_FILE = 64 * 1024;
const MOST_TOKENS = 8;

/** The token file can't be used. The message tells why, and nothing of what is in the file. */
export class TokenFileError extends Error {
  override name = 'TokenFileError';
}

/**
 * The tokens of a file, one on a line: two while one replaces the other. Read again when it changes; while it
 * can't be read or holds nothing of use, the tokens of before stay in force.
 */
export class TokenFile {
  private readonly path: string;
  private readonly now: () => number;
  private readonly failed: (reason: string) => void;
  private text: string | null = null;
  private hashes: readonly Buffer[] = [];
  private keys: readonly Buffer[] = [];
  private lookedAt: number;

  /**
   * Throws TokenFileError. `now` is monotonic, in milliseconds; `failed` is told when a later look fails.
   */
  constructor(
    path: string,
    failed: (reason: string) => void = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.path = path;
    this.now = now;
    this.failed = failed;
    this.lookedAt = now();
    this.read();
  }

  /** Whether it is one of the tokens. Takes as long whatever it is. */
  admits(token: string): boolean {
    this.look();
    const given = hashOf(token);
    let admitted = false;
    // All are compared, so that the time tells nothing.
    for (const hash of this.hashes) admitted = timingSafeEqual(hash, given) || admitted;
    return admitted;
  }

  /** A key for each token in the file's order, to sign sessions with: whoever has a signature can't find the token by trying. */
  sessionKeys(): readonly Buffer[] {
    this.look();
    return this.keys;
  }

  private look(): void {
    const now = this.now();
    if (now - this.lookedAt < LOOK_EVERY_MS) return;
    this.lookedAt = now;
    try {
      this.read();
    } catch (error) {
      this.failed((error as TokenFileError).message);
    }
  }

  private read(): void {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      throw new TokenFileError(`it can't be read (${(error as NodeJS.ErrnoException).code})`);
    }
    // Compared by its content: Kubernetes changes a mounted Secret by turning a link to another folder.
    if (text === this.text) return;
    if (text.length > LARGEST_FILE) throw new TokenFileError(`it is larger than ${LARGEST_FILE} bytes`);
    const tokens = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (tokens.length === 0) throw new TokenFileError('it holds no token');
    if (tokens.length > MOST_TOKENS) throw new TokenFileError(`it holds more than ${MOST_TOKENS} lines`);
    // What a header can carry (RFC 6750, section 2.1, is narrower still).
    if (tokens.some((token) => !/^[\x21-\x7e]+$/.test(token))) {
      throw new TokenFileError('a token has characters other than visible ASCII');
    }
    if (tokens.some((token) => token.length < LEAST_TOKEN_CHARACTERS)) {
      throw new TokenFileError(`a token is shorter than ${LEAST_TOKEN_CHARACTERS} characters`);
    }
    this.text = text;
    this.hashes = tokens.map(hashOf);
    this.keys = tokens.map((token) => scryptSync(token, 'tickline-sidecar-session', 32));
  }
}

/** Equally long for all, so that a comparison tells nothing of the length either. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
