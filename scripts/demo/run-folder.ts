import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ticklineFolder } from '../stack/paths.ts';
import { startTimeOf } from '../stack/process-identity.ts';

const demoFolder = join(ticklineFolder, 'demo');

/**
 * Makes the folder of this run: configuration and logs, named by our pid. Those of runs that are over are
 * removed: a run's logs stay until the next one.
 */
export function makeRunFolder(): string {
  mkdirSync(demoFolder, { recursive: true });
  for (const entry of readdirSync(demoFolder)) {
    if (startTimeOf(Number.parseInt(entry, 10)) === undefined) {
      rmSync(join(demoFolder, entry), { recursive: true, force: true });
    }
  }
  const folder = join(demoFolder, String(process.pid));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}
