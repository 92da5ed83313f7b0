import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../stack/paths.ts';

let commands: string;

beforeEach(() => {
  mkdirSync(join(repositoryRoot, '.tickline'), { recursive: true });
  commands = mkdtempSync(join(repositoryRoot, '.tickline/test-commands-'));
});

afterEach(() => {
  rmSync(commands, { recursive: true });
});

/** Puts a program on the PATH that says the same whatever it is asked. */
function install(name: string, script: string): void {
  const file = join(commands, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function testCluster(...args: string[]) {
  return spawnSync(process.execPath, [join(repositoryRoot, 'scripts/cluster/main.ts'), ...args], {
    env: { PATH: commands },
    encoding: 'utf8',
  });
}

const twoNodes = JSON.stringify({
  serverVersion: { gitVersion: 'v1.34.4' },
  items: [1, 2].map((n) => ({ kind: 'Node', metadata: { name: `n${n}` }, spec: {} })),
});

describe('make test-cluster', () => {
  it('says that kubectl, helm or a cluster is missing, and how to get it', () => {
    expect(testCluster()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('kubectl is needed'),
    });
    install('kubectl', 'test "$2" = --client || { echo connection refused >&2; exit 1; }');
    expect(testCluster()).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /helm 3\.17 or later is needed: install it, or name it by HELM=… or --helm\n.*helm/,
      ),
    });
    install('helm4', 'echo v4.2.4');
    expect(testCluster('--helm', 'helm4')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no cluster answers: .*kind create cluster.*\n.*connection refused/),
    });
  });

  it('asks for the images before it changes anything', () => {
    install('kubectl', `case "$*" in *get*|*version*) echo '${twoNodes}';; *) echo "$*" >&2; exit 1;; esac`);
    install('helm', 'echo v3.17.3');
    const { status, stderr } = testCluster();
    expect(status).toBe(2);
    expect(stderr).toContain('TICKLINE_CLUSTER_IMAGE=');
    expect(testCluster('--image', 'tickline:1').stderr).toContain('TICKLINE_CLUSTER_STACK_IMAGE=');
  });

  it('refuses a rate that is none', () => {
    expect(testCluster('--rate', 'fast')).toMatchObject({
      status: 2,
      stderr: 'test-cluster: --rate must be a number above 0, not fast\n',
    });
  });

  it('explains itself', () => {
    const { status, stdout } = testCluster('--help');
    expect(status).toBe(0);
    expect(stdout).toContain('--stack-image');
  });
});
