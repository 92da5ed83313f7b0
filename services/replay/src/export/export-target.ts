import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SettingsError } from '../connection/settings-error.ts';
import type { ExportPaths } from './export-writer.ts';
import { writing } from './writing.ts';

const MANIFEST = 'manifest.json';

/**
 * Where an export goes, and what lies beside it on the way: `OUT.partial` and `OUT.journal`. The final name appears
 * at the end, whole.
 */
export class ExportTarget implements ExportPaths {
  readonly out: string;
  /** Of a partitioned export `out` is a folder. */
  readonly isFolder: boolean;
  readonly partial: string;
  readonly journal: string;
  /** See `lockExport`. */
  readonly lock: string;
  readonly fileName: string | null;

  constructor(out: string, isFolder: boolean) {
    this.out = resolve(out);
    this.isFolder = isFolder;
    this.partial = `${this.out}.partial`;
    this.journal = `${this.out}.journal`;
    this.lock = `${this.out}.lock`;
    this.fileName = isFolder ? null : basename(this.out);
  }

  /** The last part of `out`. */
  get name(): string {
    return basename(this.out);
  }

  get exists(): boolean {
    return existsSync(this.out);
  }

  /**
   * `manifest.json` beside the file or folder: readers of a folder take all in it for data. There may be another
   * export's: then it is `NAME.manifest.json`.
   */
  get manifest(): string {
    const beside = join(dirname(this.out), MANIFEST);
    return isOfAnother(beside, this.name) ? `${this.out}.${MANIFEST}` : beside;
  }

  /** Where a file of the export is after the end. */
  finalPath(name: string): string {
    return this.isFolder ? join(this.out, name) : this.out;
  }

  /** Makes the folder that the export lies in. */
  makeParent(): void {
    writing(this.out, () => mkdirSync(dirname(this.out), { recursive: true }));
  }

  /** Makes room for a new export: what an unfinished one left is removed. */
  clear(): void {
    this.discard();
    if (this.isFolder) writing(this.partial, () => mkdirSync(this.partial));
  }

  /** Removes what is under way. */
  discard(): void {
    writing(this.partial, () => {
      rmSync(this.partial, { recursive: true, force: true });
      rmSync(this.journal, { force: true });
    });
  }

  /**
   * Gives the export its final name, in place of what had it; its files are on the disk already. Returns the
   * manifest's path.
   */
  publish(manifestText: string): string {
    const manifest = this.manifest;
    const partialManifest = `${manifest}.partial`;
    writeWhole(partialManifest, manifestText);
    writing(this.out, () => {
      // A folder can't be renamed onto one that has files: the old one goes first.
      const old = `${this.out}.replaced`;
      rmSync(old, { recursive: true, force: true });
      if (this.isFolder && existsSync(this.out)) renameSync(this.out, old);
      renameSync(this.partial, this.out);
      renameSync(partialManifest, manifest);
      rmSync(old, { recursive: true, force: true });
    });
    writing(dirname(this.out), () => {
      rmSync(this.journal, { force: true });
      syncFolder(dirname(this.out));
    });
    return manifest;
  }
}

/** Whether a manifest is there that does not speak of this output. */
function isOfAnother(manifest: string, output: string): boolean {
  if (!existsSync(manifest)) return false;
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { output?: unknown }).output !== output;
  } catch {
    return true;
  }
}

/** Refuses names that can't be meant. Throws SettingsError. */
export function checkOut(out: string, isFolder: boolean): void {
  if (basename(resolve(out)) === '' || out === '.' || out === '..') {
    throw new SettingsError(
      `--out needs the name of a ${isFolder ? 'folder' : 'file'} that the export makes, is "${out}"`,
    );
  }
}

function writeWhole(path: string, text: string): void {
  writing(path, () => {
    const file = openSync(path, 'w');
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Waits until a rename is on the disk. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
