import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenFile } from './access.ts';

let file = '';
beforeAll(() => {
  const scratch = join(import.meta.dirname, '../../../../../.tickline');
  mkdirSync(scratch, { recursive: true });
  file = join(mkdtempSync(join(scratch, 'token-')), 'token');
});
afterAll(() => rmSync(join(file, '..'), { recursive: true, force: true }));

function write(text: string, modified: number): void {
  writeFileSync(file, text);
  utimesSync(file, modified, modified);
}

describe('TokenFile', () => {
  it.each([
    ['Bearer one', true],
    ['bearer two', true],
    ['Bearer three', false],
    ['Bearer ', false],
    ['one', false],
    ['Basic one', false],
    [undefined, false],
  ])('%s: %s', (authorization, admitted) => {
    write(' one \n\ntwo\n', 1);
    expect(new TokenFile(file).admits(authorization)).toBe(admitted);
  });

  it('takes up a changed file, and keeps the old tokens while it is away', () => {
    let now = 0;
    write('old\n', 1);
    const tokens = new TokenFile(file, () => now);
    write('new\n', 2);
    expect(tokens.admits('Bearer old')).toBe(true);
    now = 6_000;
    expect([tokens.admits('Bearer old'), tokens.admits('Bearer new')]).toEqual([false, true]);
    rmSync(file);
    now = 12_000;
    expect(tokens.admits('Bearer new')).toBe(true);
  });

  it('refuses a file without a token', () => {
    write('\n', 3);
    expect(() => new TokenFile(file)).toThrow('it holds no token');
  });
});
