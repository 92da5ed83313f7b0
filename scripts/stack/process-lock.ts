import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/**
 * Runs `work` while holding the lock at `path`, so that one process at a time does it. Others wait, calling
 * `onWait` once. A lock whose holder has died is taken over. What is guarded must still end in an atomic
 * rename: two waiters may take over a dead holder's lock at the same moment.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify(identify(process.pid));
  for (let waited = false; !tryCreate(path, mine); waited = true) {
    const holder = readHolder(path);
    if (holder !== undefined && !isRunning(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) onWait?.();
    await delay(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryCreate(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The holder; `undefined` while the lock is being written or was just given back. */
function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
