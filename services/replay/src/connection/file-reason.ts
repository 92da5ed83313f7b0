import { YAMLException } from 'js-yaml';

/** Why a file can't be read: the system's word without the path, which the message has already; never the content of a file. */
export function reasonOf(error: unknown): string {
  if (error instanceof YAMLException) return `is not YAML (line ${(error.mark?.line ?? 0) + 1})`;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  return code === undefined ? message : `can't be read (${code})`;
}
