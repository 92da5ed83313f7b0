import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { repositoryRoot } from '../../scripts/stack/paths.ts';

/** What promtool said, and whether it was content. */
export interface Verdict {
  readonly passed: boolean;
  readonly text: string;
}

/** Runs `promtool check rules` on a rules file of these contents. */
export function checkRules(rules: unknown): Promise<Verdict> {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'rules.yaml'), stringify(rules));
    return promtool(['check', 'rules', 'rules.yaml'], folder);
  });
}

/** Runs `promtool test rules` with a rules file and a test file of these contents. */
export function testRules(rules: unknown, tests: readonly unknown[]): Promise<Verdict> {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'rules.yaml'), stringify(rules));
    const file = { rule_files: ['rules.yaml'], evaluation_interval: '1m', tests };
    writeFileSync(join(folder, 'tests.yaml'), stringify(file));
    return promtool(['test', 'rules', 'tests.yaml'], folder);
  });
}

async function inFolder(work: (folder: string) => Promise<Verdict>): Promise<Verdict> {
  const parent = join(repositoryRoot, '.tickline', 'test-alerts');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'rules-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function promtool(args: readonly string[], cwd: string): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile('promtool', args, { cwd, timeout: 60_000 }, (error, stdout, stderr) => {
      const text = `${stdout}${stderr}`;
      if (error === null) resolve({ passed: true, text });
      else if (typeof error.code === 'number') resolve({ passed: false, text });
      else
        reject(
          new Error('promtool can not be run: `node scripts/setup.ts tests` installs it', { cause: error }),
        );
    });
  });
}
