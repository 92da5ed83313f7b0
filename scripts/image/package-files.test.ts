import { describe, expect, it } from 'vitest';
import { isNeededAtRunTime } from './package-files.ts';

describe('a file of an installed package', () => {
  it.each([
    'package.json',
    'index.js',
    'lib/test/index.js',
    'dist/index.mjs',
    'crc32.linux-x64-gnu.node',
    'LICENSE',
    'LICENSE.md',
    'lib/vendor/Licence.txt',
    'NOTICE',
    'proto/health.proto',
  ])('is taken along: %s', (path) => {
    expect(isNeededAtRunTime(path)).toBe(true);
  });

  it.each([
    'index.d.ts',
    'src/index.ts',
    'dist/index.d.mts',
    'dist/index.js.map',
    'README.md',
    'test/a.js',
    'docs/index.js',
    'examples/a.js',
    '.eslintrc',
    'lib/.npmignore',
    'node_modules/other/index.js',
  ])('stays behind: %s', (path) => {
    expect(isNeededAtRunTime(path)).toBe(false);
  });
});
