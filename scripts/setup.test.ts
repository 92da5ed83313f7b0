import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installedDiffers } from './setup-packages-differ.mjs';
import { repositoryRoot } from './stack/paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-setup-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('installed packages', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const root = { name: 'tickline' };
  const differs = (lock: object, installed: object) =>
    installedDiffers({ packages: { '': root, ...lock } }, { packages: installed });

  it('are as the lock says', () => {
    expect(differs({ 'node_modules/a': a }, { 'node_modules/a': a })).toBe('');
  });

  it('may lack what is optional, and the workspaces’ own entries', () => {
    const lock = {
      'node_modules/a': a,
      'node_modules/b': { ...a, optional: true },
      schemas: { version: '0.1.0' },
    };
    expect(differs(lock, { 'node_modules/a': a })).toBe('');
  });

  it('differ by a missing, another or a left-over package', () => {
    expect(differs({ 'node_modules/a': a }, {})).toBe('node_modules/a is missing');
    expect(differs({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '2.0.0' } })).toBe(
      'node_modules/a is 2.0.0, not 1.0.0',
    );
    expect(differs({}, { 'node_modules/a': a })).toBe('node_modules/a is not in package-lock.json');
  });

  it('differ when nothing is installed', () => {
    expect(installedDiffers({ packages: {} }, undefined)).toBe('nothing is installed');
  });
});

describe('a clone in which nothing is installed', () => {
  it('says what to do, and nothing else', () => {
    mkdirSync(join(folder, 'scripts'));
    cpSync(join(repositoryRoot, 'scripts/require-setup.mjs'), join(folder, 'scripts/require-setup.mjs'));
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ scripts: { decode: 'node scripts/require-setup.mjs && echo decoded' } }),
    );
    const run = () =>
      spawnSync('npm', ['run', '--silent', 'decode', '--', '--exchange', 'binance'], {
        cwd: folder,
        encoding: 'utf8',
      });
    expect(run()).toMatchObject({ status: 2, stdout: '', stderr: 'run `make setup` first\n' });
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}');
    expect(run()).toMatchObject({ status: 0, stdout: 'decoded --exchange binance\n', stderr: '' });
  });
});

// These tests run below `make test` too: what that make hands to its children must not reach ours.
const withoutMake = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(MAKE.*|MFLAGS|DURATION|RATE|SINKS|JSON|STACK)$/.test(name),
  ),
);

describe('make alone', () => {
  it('lists every target that a user needs, with a line on each', () => {
    const { stdout, status } = spawnSync('make', { cwd: repositoryRoot, env: withoutMake, encoding: 'utf8' });
    expect(status).toBe(0);
    const listed = stdout.split('\n').flatMap((line) => /^ {2}([a-z-]+) +\S/.exec(line)?.[1] ?? []);
    expect(listed).toEqual([
      'help',
      'setup',
      'demo',
      'live',
      'stack',
      'stack-down',
      'check',
      'image',
      'test-cluster',
      'test',
      'bench',
      'audit',
      'clean',
    ]);
  });

  it('prints the commands of the demo with the variables as flags', () => {
    const run = (...args: string[]) =>
      spawnSync('make', ['-n', ...args], { cwd: repositoryRoot, env: withoutMake, encoding: 'utf8' })
        .stdout.trim()
        .split('\n')
        .at(-1);
    expect(run('demo')?.trim()).toBe('node scripts/demo/main.ts');
    expect(run('demo', 'DURATION=20', 'RATE=500', 'JSON=1')).toBe(
      'node scripts/demo/main.ts --duration 20 --rate 500 --json',
    );
    expect(run('demo', 'SINKS=redis, grpc')).toBe("node scripts/demo/main.ts --sinks 'redis, grpc'");
    expect(run('live', 'JSON=0')?.trim()).toBe('node scripts/demo/main.ts --live');
  });
});
