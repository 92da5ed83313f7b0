import { OutputError } from '../output/output.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than is allowed (ulimit -f)',
  EACCES: 'access is denied',
  EROFS: 'the file system is read-only',
};

/** Runs what writes; what the system refuses becomes an OutputError with the path. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new OutputError(`${path} can't be written: ${REASONS[code] ?? message}`, { cause });
  }
}
