import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { OutputError } from '../output/output.ts';

const READ_BYTES = 1 << 18;

/** Adds all that is in a file to a hash. Throws OutputError. */
export function hashFile(path: string, hash: Hash): void {
  const chunk = Buffer.allocUnsafe(READ_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
        hash.update(chunk.subarray(0, read));
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new OutputError(`${path} can't be read back: ${(cause as Error).message}`, { cause });
  }
}

/** SHA-256 of what is in a file, in hexadecimal. Throws OutputError. */
export function sha256Of(path: string): string {
  const hash = createHash('sha256');
  hashFile(path, hash);
  return hash.digest('hex');
}
