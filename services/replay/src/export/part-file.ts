import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { OutputError } from '../output/output.ts';
import type { ExportFormat, RowBuilder } from './export-format.ts';
import { hashFile } from './file-hash.ts';
import { writing } from './writing.ts';

/** A file on its way: what is in it, and the rows that are not yet. */
export class PartFile {
  /** Below the target's folder; the file's own name where there is but one. */
  readonly name: string;
  readonly path: string;
  /** Bytes that were written, without the file's end. */
  bytes = 0;
  rows = 0;
  /** What the file's end needs to know of each part. */
  readonly entries: Buffer[] = [];
  /** Entries that the journal has. */
  journaledEntries = 0;
  /** Rows that are not written yet; null: none. */
  builder: RowBuilder | null = null;
  private readonly hash = createHash('sha256');
  /** Whether it was written to since the last checkpoint. */
  isDirty = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  /** Writes the builder's rows; returns how many bytes they were. */
  writeRows(format: ExportFormat): number {
    const { builder } = this;
    if (builder === null || builder.rows === 0) return 0;
    const before = this.bytes;
    if (before === 0) this.begin(format);
    const part = builder.take(this.bytes, this.entries.length);
    this.append(part.parts);
    this.bytes += part.byteLength;
    this.rows += part.rows;
    if (part.entry !== null) this.entries.push(part.entry);
    return this.bytes - before;
  }

  /** The SHA-256 of what was written, in hexadecimal; after `end`. */
  get sha256(): string {
    return this.hash.copy().digest('hex');
  }

  /** Goes on with a file that an earlier run left: cuts off what is behind the journal's last word. */
  restore(): void {
    writing(this.path, () => {
      if (!existsSync(this.path) || statSync(this.path).size < this.bytes) {
        throw new OutputError(`${this.path} has less than its journal says: run again with --restart`);
      }
      truncateSync(this.path, this.bytes);
    });
    hashFile(this.path, this.hash);
  }

  /** Creates the file with what its format begins with. */
  begin(format: ExportFormat): void {
    writing(this.path, () => {
      mkdirSync(dirname(this.path), { recursive: true });
      closeSync(openSync(this.path, 'w'));
    });
    this.append([format.header]);
    this.bytes = format.header.length;
  }

  /** Writes the file's end and waits until all of it is on the disk. */
  end(format: ExportFormat): void {
    if (this.bytes === 0) this.begin(format);
    const footer = format.footer(this.entries, this.rows);
    this.append([footer]);
    this.bytes += footer.length;
    this.sync();
  }

  /** Waits until what was written is on the disk. */
  sync(): void {
    writing(this.path, () => {
      const file = openSync(this.path, 'r+');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
    this.isDirty = false;
  }

  /** The file is open only within this call: there may be thousands of them. */
  private append(parts: readonly Uint8Array[]): void {
    writing(this.path, () => {
      const file = openSync(this.path, 'a');
      try {
        for (const part of parts) {
          for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
          this.hash.update(part);
        }
      } finally {
        closeSync(file);
      }
    });
    this.isDirty = true;
  }
}
