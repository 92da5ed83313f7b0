import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** How often the file is looked at: a rotated token is in force at most so much later. */
const LOOK_EVERY_MS = 5_000;

/** The bearer tokens of a file, one on a line: two while one replaces the other. */
export class TokenFile {
  private readonly path: string;
  private readonly now: () => number;
  private hashes: readonly Buffer[] = [];
  private changedAt = Number.NaN;
  private lookedAt: number;

  /** Throws when the file can't be read or holds no token. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.path = path;
    this.now = now;
    this.lookedAt = now();
    this.read();
    if (this.hashes.length === 0) throw new Error('it holds no token');
  }

  /** Whether `authorization` carries one of the tokens. Takes as long whatever it carries. */
  admits(authorization: string | undefined): boolean {
    this.look();
    const given = hashOf(/^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    let admitted = false;
    // All are compared, so that the time tells nothing.
    for (const hash of this.hashes) admitted = timingSafeEqual(hash, given) || admitted;
    return admitted;
  }

  private look(): void {
    const now = this.now();
    if (now - this.lookedAt < LOOK_EVERY_MS) return;
    this.lookedAt = now;
    try {
      this.read();
    } catch {
      // Being replaced just now: the tokens of before hold until the next look.
    }
  }

  private read(): void {
    const { mtimeMs } = statSync(this.path);
    if (mtimeMs === this.changedAt) return;
    const tokens = readFileSync(this.path, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (tokens.length === 0) return;
    this.hashes = tokens.map(hashOf);
    this.changedAt = mtimeMs;
  }
}

/** Equally long for all, so that a comparison tells nothing of the length either. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
