import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockExport } from './export-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the lock of an export', () => {
  it('refuses while its process lives, and takes over what a dead one left', () => {
    const path = join(folder, 'lock');
    writeFileSync(path, `${process.ppid}\n`);
    expect(() => lockExport(path)).toThrow(new RegExp(`process ${process.ppid} is writing this export`));
    expect(readFileSync(path, 'utf8')).toBe(`${process.ppid}\n`);
    // Beyond the largest process number that Linux gives (2^22).
    writeFileSync(path, '4194305\n');
    const unlock = lockExport(path);
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
    unlock();
    expect(existsSync(path)).toBe(false);
  });
});
