import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenFile, TokenFileError } from './token-file.ts';

const FIRST = 'first-token-0123456789';
const SECOND = 'second-token-0123456789';
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-token-'));
  path = join(folder, 'token');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('TokenFile', () => {
  it('admits each token of the file and nothing else', () => {
    writeFileSync(path, `${FIRST}\n\n  ${SECOND}  \n`);
    const file = new TokenFile(path);
    expect([FIRST, SECOND].map((token) => file.admits(token))).toEqual([true, true]);
    expect(
      ['', ' ', FIRST.slice(1), `${FIRST}x`, `${FIRST}\n${SECOND}`].some((token) => file.admits(token)),
    ).toBe(false);
    expect(file.sessionKeys()).toHaveLength(2);
  });

  it('reads it again when it changes, also by a second file in its place', () => {
    let now = 0;
    writeFileSync(path, FIRST);
    const file = new TokenFile(
      path,
      () => {},
      () => now,
    );
    writeFileSync(path, SECOND);
    expect(file.admits(SECOND)).toBe(false);
    now = 5_000;
    expect([file.admits(SECOND), file.admits(FIRST)]).toEqual([true, false]);
  });

  it('keeps the tokens of before while the file is of no use, and says so without showing it', () => {
    let now = 0;
    const failures: string[] = [];
    writeFileSync(path, FIRST);
    const file = new TokenFile(
      path,
      (reason) => failures.push(reason),
      () => now,
    );
    writeFileSync(path, 'hunter2');
    now = 5_000;
    expect([file.admits(FIRST), file.admits('hunter2')]).toEqual([true, false]);
    rmSync(path);
    now = 10_000;
    expect(file.admits(FIRST)).toBe(true);
    expect(failures).toEqual(['a token is shorter than 16 characters', "it can't be read (ENOENT)"]);
  });

  it.each([
    ['', 'it holds no token'],
    ['\n \n', 'it holds no token'],
    ['hunter2-hunter2', 'a token is shorter than 16 characters'],
    ['hunter2 hunter2 hunter2', 'a token has characters other than visible ASCII'],
    ['hunter2-hunter2-ä', 'a token has characters other than visible ASCII'],
    [`${FIRST}\n`.repeat(9), 'it holds more than 8 lines'],
    ['x'.repeat(70_000), 'it is larger than 65536 bytes'],
  ])('refuses %j', (text, message) => {
    writeFileSync(path, text);
    expect(() => new TokenFile(path)).toThrow(TokenFileError);
    expect(() => new TokenFile(path)).toThrow(new TokenFileError(message));
  });
});
