import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noResults, resultJson } from './summary.ts';

const script = join(import.meta.dirname, 'setup-for-json.sh');
// These tests run below `make test` too: what that make hands to its children must not reach ours.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MAKE.*|MFLAGS)$/.test(name)),
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-setup-json-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the script where `make setup` is this recipe. */
function run(recipe: string, lost = '0') {
  writeFileSync(join(folder, 'Makefile'), `setup:\n\t@${recipe}\n`);
  return spawnSync('sh', [script, 'setup', lost], { cwd: folder, env, encoding: 'utf8' });
}

describe('make setup before a demo with JSON=1', () => {
  it('keeps standard output for the demo', () => {
    expect(run('echo installing; echo more >&2')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: 'installing\nmore\n',
    });
  });

  it.each([
    [false, '0'],
    [true, 'null'],
  ])('says in the demo’s own form why it failed (live: %s)', (live, lost) => {
    const { stdout, stderr, status } = run(
      String.raw`echo installing; echo 'npm: the "registry" \\ is away' >&2; exit 3`,
      lost,
    );
    expect(status).toBe(2);
    expect(stderr).toContain('npm: the "registry"');
    const { error } = JSON.parse(stdout) as { error: string };
    expect(error).toMatch(/^make setup failed: npm: the "registry" \\+ is away$/);
    expect(stdout).toBe(`${resultJson(noResults(live, []), error)}\n`);
  });
});
