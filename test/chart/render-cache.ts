import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ticklineFolder } from '../../scripts/stack/paths.ts';

const cacheFolder = join(ticklineFolder, 'chart-renders');

/**
 * A text that depends on nothing but the files of a folder, a program and its arguments: made once and shared by the
 * test files, which are processes of their own. Any change of a file's name or content makes it anew.
 */
export async function sharedText(
  folder: string,
  program: string,
  args: readonly string[],
  make: () => Promise<string>,
): Promise<string> {
  const { size, mtimeMs } = statSync(program);
  const state = hashOf([program, String(size), String(mtimeMs), ...contentsOf(folder)]);
  const place = join(cacheFolder, state);
  const file = join(place, hashOf(args));
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const text = await make();
  mkdirSync(place, { recursive: true });
  for (const other of readdirSync(cacheFolder).filter((name) => name !== state)) {
    rmSync(join(cacheFolder, other), { recursive: true, force: true });
  }
  const own = `${file}-${process.pid}`;
  writeFileSync(own, text);
  renameSync(own, file);
  return text;
}

function contentsOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((file) => [file, readFileSync(file, 'utf8')]);
}

function hashOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}
