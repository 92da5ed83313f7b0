import { describe, expect, it } from 'vitest';
import { type LockedPackages, productionPackages } from './installed-packages.ts';

const locked: LockedPackages = {
  '': { version: '1.0.0' },
  'services/a': {
    name: '@ours/a',
    version: '1.0.0',
    dependencies: { outer: '^1.0.0', '@ours/library': '1.0.0' },
  },
  library: { name: '@ours/library', version: '1.0.0', dependencies: { nested: '^2.0.0' } },
  'library/node_modules/nested': { version: '2.0.0' },
  'node_modules/@ours/library': { link: true, resolved: 'library' },
  'node_modules/outer': {
    version: '1.2.0',
    dependencies: { nested: '^1.0.0' },
    optionalDependencies: { 'outer-linux': '1.2.0', 'outer-windows': '1.2.0' },
    peerDependencies: { absent: '*' },
  },
  'node_modules/nested': { version: '1.0.0' },
  'node_modules/outer-linux': { version: '1.2.0', optional: true },
  'node_modules/outer-windows': { version: '1.2.0', optional: true },
  'node_modules/test-tool': { version: '9.0.0' },
};

const onLinux = (path: string): boolean => path !== 'node_modules/outer-windows';

describe('the packages that a program needs', () => {
  it('are those it depends on, found as Node finds them, and no others', () => {
    const found = productionPackages(locked, ['services/a'], onLinux);
    expect(found.map(({ path, name, version }) => `${path} ${name} ${version}`)).toEqual([
      'library @ours/library 1.0.0',
      'library/node_modules/nested nested 2.0.0',
      'node_modules/nested nested 1.0.0',
      'node_modules/outer outer 1.2.0',
      'node_modules/outer-linux outer-linux 1.2.0',
      'services/a @ours/a 1.0.0',
    ]);
  });

  it('know what they depend on, and whose they are', () => {
    const found = new Map(
      productionPackages(locked, ['services/a'], onLinux).map((each) => [each.path, each]),
    );
    expect(found.get('services/a')).toMatchObject({
      workspace: true,
      dependsOn: ['library', 'node_modules/outer'],
    });
    expect(found.get('library')).toMatchObject({
      workspace: true,
      dependsOn: ['library/node_modules/nested'],
    });
    expect(found.get('node_modules/outer')).toMatchObject({
      workspace: false,
      dependsOn: ['node_modules/nested', 'node_modules/outer-linux'],
    });
  });

  it('must be installed', () => {
    expect(() =>
      productionPackages(locked, ['services/a'], (path) => path !== 'node_modules/nested'),
    ).toThrow('outer needs nested, which is not installed: run `npm ci`');
  });

  it('must be in the lock file', () => {
    expect(() => productionPackages(locked, ['services/b'], onLinux)).toThrow(
      'package-lock.json has no version of services/b',
    );
  });
});
