import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SHELLS } from './completion-scripts.ts';
import { runProgram } from './program.ts';
import type { World } from './world.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickline-completion-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program with nothing of the world but its output. */
async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const world: World = {
    stdout: {
      isTTY: false,
      columns: 0,
      write(chunk) {
        stdout += Buffer.from(chunk).toString();
        return undefined;
      },
    },
    stderr: {
      write(text) {
        stderr += text;
      },
    },
    env: { XDG_CONFIG_HOME: folder },
    signal: new AbortController().signal,
    now: () => 0,
    monotonic: () => 0,
    sleep: async () => undefined,
  };
  return { code: await runProgram(argv, world, '1.2.3'), stdout, stderr };
}

async function script(shell: string): Promise<string> {
  const { code, stdout } = await run('completion', shell);
  expect(code).toBe(0);
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, stdout);
  return file;
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['--version']).error === undefined;
}

describe('completion', () => {
  it('in bash offers commands, topics, flags and files where they belong', async () => {
    const file = await script('bash');
    writeFileSync(join(folder, 'profile.yaml'), '');
    const offered = (...words: string[]): string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _tickline; printf "%s\\n" "\${COMPREPLY[@]}"`,
          'bash',
          file,
          'tickline',
          ...words,
        ],
        { encoding: 'utf8', cwd: folder },
      )
        .split('\n')
        .filter((line) => line !== '');
    expect(offered('')).toEqual(
      expect.arrayContaining([
        'topics',
        'tail',
        'replay',
        'export',
        'audit',
        'doctor',
        'completion',
        '--help',
      ]),
    );
    expect(offered('ta')).toEqual(['tail']);
    expect(offered('tail', '')).toEqual(['trades', 'quotes', 'status']);
    expect(offered('audit', '')).toEqual(['trades', 'quotes']);
    expect(offered('replay', 'trades', '--sp')).toEqual(['--speed']);
    expect(offered('tail', 'trades', '--kafka.sasl.m')).toEqual(['--kafka.sasl.mechanism']);
    expect(offered('tail', 'trades', '--config', 'pro')).toEqual(['profile.yaml']);
    expect(offered('tail', 'trades', '--symbol', '')).toEqual([]);
    expect(offered('completion', 'z')).toEqual(['zsh']);
    expect(offered('nonsense', '')).toEqual([]);
  });

  it.each(['zsh', 'fish'])('is understood by %s, where that is installed', async (shell) => {
    const file = await script(shell);
    if (isInstalled(shell)) execFileSync(shell, ['-n', file]);
    else process.stderr.write(`${shell} is not installed: its script was made, not parsed\n`);
  });

  it('has every command and flag in every shell', async () => {
    const { stdout } = await run('replay', '--help');
    const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w.-]+)/gm)].map(([, flag]) => flag!);
    expect(flags.length).toBeGreaterThan(25);
    for (const shell of SHELLS) {
      const text = (await run('completion', shell)).stdout;
      for (const flag of flags) expect(text).toContain(flag);
    }
  });

  it('refuses another shell', async () => {
    expect(await run('completion', 'tcsh')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('the program', () => {
  it('tells its version and every command’s help with examples and exit codes', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, stdout: '1.2.3\n' });
    const { stdout } = await run('--help');
    const commands = [...stdout.matchAll(/^ {2}(\w+) (?:\[options\]|<)/gm)].map(([, name]) => name!);
    expect(commands).toEqual(['topics', 'tail', 'replay', 'export', 'audit', 'doctor', 'completion']);
    for (const command of commands) {
      const help = await run(command, '--help');
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('Examples:');
      expect(help.stdout).toContain('Exit codes:');
      expect(help.stdout).toMatch(new RegExp(`^ {2}(eval "\\$\\()?tickline ${command}`, 'm'));
    }
  });

  it('refuses unknown commands and flags with what was probably meant, and missing settings', async () => {
    expect(await run('tial')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean tail?'),
    });
    expect(await run('tail', 'trades', '--symbl', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean --symbol?'),
    });
    expect(await run()).toMatchObject({ code: 2 });
    expect(await run('tail', 'trades')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('kafka.brokers is not set'),
    });
    expect(await run('tail', 'trads')).toMatchObject({
      code: 2,
      stderr: 'tickline: there is no topic "trads": did you mean trades? There are trades, quotes, status\n',
    });
    expect(await run('tail', 'invalid')).toMatchObject({ code: 2, stderr: expect.stringContaining('kcat') });
    expect(await run('replay', 'trades', '--from', '-1h', '--to', '-2h')).toMatchObject({
      code: 2,
      stderr: 'tickline: --from must be before --to\n',
    });
    expect(await run('replay', 'trades', '--from', 'soon')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tickline: --from is no time: "soon"; use 2026-/),
    });
    expect(await run('replay', 'trades', '--speed', 'quick')).toMatchObject({ code: 2 });
  });
});
