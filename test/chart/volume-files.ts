import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { MountedFile } from './mounted-files.ts';

/** As the kubelet names the folder that holds one state of a volume; a real name has the time in it. */
const STATE = '..2026_01_01_00_00_00.000000001';

/**
 * Writes the files of a container below a folder, in the place of its root. Volumes look as the kubelet makes them
 * (AtomicWriter of pkg/volume/util): `config/a.yaml → ..data/a.yaml`, `..data → ..2026_…`.
 * @param contentOf what is in a file
 */
export function writeVolumes(
  files: readonly MountedFile[],
  root: string,
  contentOf: (file: MountedFile) => string,
): void {
  for (const file of files) {
    const volume = join(root, file.mount === file.path ? dirname(file.mount) : file.mount);
    const name = relative(volume, join(root, file.path));
    const state = join(volume, STATE);
    mkdirSync(dirname(join(state, name)), { recursive: true });
    writeFileSync(join(state, name), contentOf(file));
    linkOnce('..data', volume, STATE);
    const [top = basename(name)] = name.split('/');
    linkOnce(top, volume, join('..data', top));
  }
}

function linkOnce(name: string, folder: string, target: string): void {
  try {
    symlinkSync(target, join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
