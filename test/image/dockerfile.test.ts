import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../scripts/image/bundle.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';

/** One instruction: its name and the rest, continued lines joined. */
type Instruction = readonly [name: string, rest: string];

const instructions: Instruction[] = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()]);

const { version, license, workspaces } = JSON.parse(
  readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
) as { version: string; license: string; workspaces: string[] };

/** What is copied from the repository: sources and where to, in order. */
const copies = instructions
  .filter(([name, rest]) => name === 'COPY' && !rest.startsWith('--from'))
  .map(([, rest]) => rest.split(/\s+/))
  .map((words) => ({ sources: words.slice(0, -1), target: words.at(-1)! }));

const ignored = readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

let context: string;

beforeAll(() => {
  mkdirSync(join(repositoryRoot, '.tickline'), { recursive: true });
  context = mkdtempSync(join(repositoryRoot, '.tickline/test-context-'));
});

afterAll(() => {
  rmSync(context, { recursive: true, force: true });
});

function only(name: string): string[] {
  return instructions.filter(([each]) => each === name).map(([, rest]) => rest);
}

describe('the Dockerfile', () => {
  it('takes its base by an argument, and ends with an image that has none', () => {
    expect(instructions[0]).toEqual(['ARG', 'BASE_IMAGE=node:24-slim']);
    expect(only('FROM')).toEqual([`\${BASE_IMAGE} AS build`, 'scratch']);
  });

  it('starts Node itself, as a user who is a number and not root', () => {
    expect(only('USER')).toEqual(['10001:10001']);
    expect(JSON.parse(only('ENTRYPOINT').join())).toEqual(['node']);
    expect(JSON.parse(only('CMD').join())).toEqual(['services/ingestor/main.js', '--help']);
  });

  it('names the version and licence of package.json', () => {
    expect(only('ARG')).toContain(`VERSION=${version}`);
    expect(only('LABEL').join()).toContain(`org.opencontainers.image.licenses="${license}"`);
  });

  it('copies the manifest of every workspace before it installs packages', () => {
    const install = instructions.findIndex(([name, rest]) => name === 'RUN' && rest.startsWith('npm ci'));
    const before = instructions.slice(0, install).map(([, rest]) => rest);
    for (const workspace of workspaces) expect(before).toContain(`${workspace}/package.json ${workspace}/`);
  });

  it('copies nothing that .dockerignore keeps away', () => {
    expect(ignored[0]).toBe('*');
    const admitted = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const source of copies.flatMap(({ sources }) => sources)) {
      const is = admitted.some((path) => source === path || source.startsWith(`${path}/`));
      expect(is, `${source} is admitted`).toBe(true);
      expect(existsSync(join(repositoryRoot, source)), `${source} is there`).toBe(true);
    }
    expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', '**/*.test.ts', '**/testing']));
  });

  it('copies all that the bundle is made of', () => {
    for (const { sources, target } of copies) {
      for (const source of sources) {
        const to = target.endsWith('/') ? join(context, target, basename(source)) : join(context, target);
        mkdirSync(dirname(to), { recursive: true });
        cpSync(join(repositoryRoot, source), to, {
          recursive: true,
          filter: (path) => !/\/node_modules$|\.test\.ts$|\/testing$/.test(path),
        });
      }
    }
    symlinkSync(join(repositoryRoot, 'node_modules'), join(context, 'node_modules'));
    const told = execFileSync(process.execPath, ['scripts/image/bundle.ts', '--out', 'bundle', '--json'], {
      cwd: context,
      encoding: 'utf8',
    });
    const bundle = JSON.parse(told) as Bundle;
    expect(bundle.programs).toContain('services/ingestor');
    for (const program of bundle.programs) {
      const help = execFileSync(process.execPath, [`bundle/${program}/main.js`, '--help'], {
        cwd: context,
        encoding: 'utf8',
      });
      expect(help).toContain('tickline');
    }
    execFileSync(process.execPath, ['scripts/image/runtime-root.ts', '--help'], { cwd: context });
  });
});
