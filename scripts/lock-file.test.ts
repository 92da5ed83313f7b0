import { describe, expect, it } from 'vitest';
import { completed, type LockFile, missingEntries, platformOf } from './lock-file.ts';

const lock: LockFile = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/@t/cli-linux-x64': { version: '2.0.0', optional: true },
    'node_modules/@t/tool': {
      version: '2.0.0',
      dev: true,
      optionalDependencies: { '@t/cli-linux-x64': '2.0.0', '@t/cli-darwin-arm64': '2.0.0' },
    },
    'node_modules/z': { version: '1.0.0', optionalDependencies: { inner: '3.0.0' } },
    'node_modules/z/node_modules/inner': { version: '3.0.0', optional: true },
  },
};

describe('a lock file made where some platforms’ binaries are not served', () => {
  it('gets the entries it lacks, and no others', () => {
    expect(missingEntries(lock)).toEqual({
      'node_modules/@t/cli-darwin-arm64': {
        version: '2.0.0',
        dev: true,
        optional: true,
        cpu: ['arm64'],
        os: ['darwin'],
      },
    });
  });

  it('is complete afterwards, in npm’s order', () => {
    const done = completed(lock);
    expect(missingEntries(done)).toEqual({});
    expect(Object.keys(done.packages).slice(0, 3)).toEqual([
      '',
      'node_modules/@t/cli-darwin-arm64',
      'node_modules/@t/cli-linux-x64',
    ]);
  });

  it('is refused when a version can’t be known', () => {
    const range = { ...lock, packages: { 'node_modules/y': { optionalDependencies: { x: '^1.0.0' } } } };
    expect(() => missingEntries(range)).toThrow('needs an exact version');
  });
});

describe('the platform in a package’s name', () => {
  it.each([
    ['@biomejs/cli-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@oxc-parser/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@oxc-parser/binding-win32-arm64-msvc', { os: ['win32'], cpu: ['arm64'] }],
    ['fsevents', {}],
  ])('%s', (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });
});
