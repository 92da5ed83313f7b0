import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MESSAGE, readPageFiles } from './page-files.ts';

const folder = fileURLToPath(new URL('./page/', import.meta.url));

describe('the page', () => {
  it('is served whole, and the login form needs nothing that is behind it', () => {
    const { index, login, files } = readPageFiles();
    const named = (html: string) =>
      [...html.matchAll(/<(?:link|script)[^>]* (?:href|src)="([^"]+)"/g)].map(([, name]) => `/${name}`);
    const served = files.map(({ path }) => path);
    expect(served).toEqual(expect.arrayContaining(named(index.toString())));
    expect(named(login).sort()).toEqual(files.flatMap(({ path, isOpen }) => (isOpen ? [path] : [])).sort());
    expect(login).toContain(MESSAGE);
    expect(served).not.toContain('/tsconfig.json');
  });

  it('has no script or style within its HTML, which the policy would forbid', () => {
    const { index, login } = readPageFiles();
    for (const html of [index.toString(), login]) {
      expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:/);
      for (const [, rest] of html.matchAll(/<script([^>]*)>/g)) expect(rest).toContain('src=');
    }
  });

  it('names nothing on another host', () => {
    const { index, login, files } = readPageFiles();
    const texts = [index.toString(), login, ...files.map(({ body }) => body.toString())];
    for (const text of texts) {
      // A namespace is a name, not an address: nothing is fetched from there.
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/|["'(]\/\//);
    }
  });

  // The browser's code is JavaScript with types in its comments: served as it is written, checked like all else.
  it('has the types that it says', () => {
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
    const tsc = join(dirname(typescript), 'bin', 'tsc');
    expect(execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })).toBe('');
  });
});

/** What the page's `format.js` offers. */
interface Format {
  count(value: number): string;
  rate(perSecond: number): string;
  delay(ms: number | null | undefined): string;
  duration(ms: number | null): string;
  bytes(value: number): string;
  clock(at: number): string;
}

describe('figures of the page', async () => {
  const { bytes, clock, count, delay, duration, rate } = (await import(`${folder}format.js`)) as Format;

  it.each([
    [count(12_345.4), '12,345'],
    [rate(0), '0'],
    [rate(0.04), '0.0'],
    [rate(9.94), '9.9'],
    [rate(12_345.6), '12,346'],
    [delay(null), '–'],
    [delay(undefined), '–'],
    [delay(0.84), '0.8 ms'],
    [delay(25.4), '25 ms'],
    [delay(1_250), '1.3 s'],
    [duration(null), '–'],
    [duration(-5), '0 s'],
    [duration(59_999), '59 s'],
    [duration(125_000), '2 min 5 s'],
    [duration(15_120_000), '4 h 12 min'],
    [duration(273_600_000), '3 d 4 h'],
    [bytes(1_023), '1,023 B'],
    [bytes(1_536), '1.5 KiB'],
    [bytes(64 * 1024 ** 2), '64.0 MiB'],
    [bytes(3 * 1024 ** 3), '3.0 GiB'],
  ])('%s is %s', (shown, wanted) => {
    expect(shown).toBe(wanted);
  });

  it('adds the date to a time of another day', () => {
    expect(clock(Date.now())).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(clock(Date.now() - 7 * 86_400_000)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });
});
