import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { SettingsError } from '../connection/settings-error.ts';
import { writing } from './writing.ts';

/**
 * Keeps two exports from writing to the same place: a file with the number of the process that does. One that a killed
 * process left is taken over. Throws SettingsError while the process lives. Returns what gives the place free.
 */
export function lockExport(path: string): () => void {
  const owner = ownerOf(path);
  if (owner !== null && isAlive(owner)) {
    throw new SettingsError(
      `process ${owner} is writing this export: wait for it (if it is no export, remove ${path})`,
    );
  }
  writing(path, () => {
    rmSync(path, { force: true });
    // Whoever comes second at the same moment fails here.
    const file = openSync(path, 'wx');
    try {
      writeSync(file, `${process.pid}\n`);
    } finally {
      closeSync(file);
    }
  });
  return () => rmSync(path, { force: true });
}

function ownerOf(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 && pid !== process.pid ? pid : null;
  } catch {
    return null;
  }
}

/** A process of another user answers EPERM: it lives. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
