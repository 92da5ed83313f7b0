import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';

const DATE = '2026-11-20';
const TRADES = 2_000;

let stack: Stack;
let folder: string;

beforeAll(async () => {
  stack = await startStack();
  mkdirSync(join(repositoryRoot, '.tickline', 'analysts'), { recursive: true });
  folder = mkdtempSync(join(repositoryRoot, '.tickline', 'analysts', 'day-'));
});

afterAll(async () => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  await stack?.stop();
});

/** Runs a command of the page as it stands there, the programs' paths apart. */
async function run(program: string, ...args: string[]): Promise<string> {
  const [first, ...rest] =
    program === 'python'
      ? [join(pythonFolder, 'bin/python')]
      : [process.execPath, join(repositoryRoot, program)];
  const env = {
    ...process.env,
    TICKLINE_KAFKA_BROKERS: stack.brokers.join(','),
    TICKLINE_REGISTRY_URL: stack.registryUrl,
    NODE_NO_WARNINGS: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    MPLCONFIGDIR: folder,
  };
  const { stdout } = await promisify(execFile)(first!, [...rest, ...args], { cwd: folder, env });
  return stdout;
}

const tickline = (...args: string[]) => run('services/replay/src/main.ts', ...args);

describe('the walk in docs/analysts.md', () => {
  it('goes from an empty stack to a plot', async () => {
    const config = join(repositoryRoot, 'examples/config/local.yaml');
    await run('services/ingestor/src/main.ts', 'provision', '--config', config);
    const day = await run('examples/analysts/simulate-day.ts', '--date', DATE, '--trades', String(TRADES));
    expect(day).toBe(`6,000 trades of ${DATE} are in md.trades\n`);
    // Of an earlier day than retention keeps at the earliest: nothing was removed.
    expect(await tickline('topics')).toMatch(/md\.trades +12 +6,000 +2026-11-20T00:/);

    // Exits with 0, or `run` throws.
    const audit = await tickline('audit', 'trades', '--from', DATE, '--to', '2026-11-21');
    expect(audit.match(/ 2,000 +0 +0 +0 +0 +0 /g)).toHaveLength(3);

    const shown = await tickline('replay', 'trades', '--speed', 'max', '--symbol', 'BTC-USDT', '--table');
    expect(shown.split('\n').filter((line) => line.startsWith(DATE))).toHaveLength(2 * TRADES);

    const keys = ['--partition-by', 'exchange,symbol,date'];
    await tickline('export', 'trades', '--from', DATE, '--to', '2026-11-21', '--out', 'day', ...keys);
    expect(existsSync(join(folder, `day/exchange=okx/symbol=BTC-USDT/date=${DATE}/part-0.parquet`))).toBe(
      true,
    );
    expect(await tickline('export', '--manifest', 'manifest.json', '--out', 'again')).toContain('identical');

    const plot = join(repositoryRoot, 'examples/analysts/plot_day.py');
    const printed = await run('python', plot, '--trades', 'day', '--symbol', 'BTC-USDT', '--out', 'day.png');
    expect(printed).toContain(`one-minute bars of ${2 * TRADES} trades`);
    const picture = readFileSync(join(folder, 'day.png'));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    expect(picture.length).toBeGreaterThan(20_000);
  });

  it('says on the page what its commands are', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/analysts.md'), 'utf8');
    for (const command of [
      'node examples/analysts/simulate-day.ts --date 2026-11-20',
      'tickline topics',
      'tickline audit trades --from 2026-11-20 --to 2026-11-21',
      'tickline export trades --from 2026-11-20 --to 2026-11-21 --out day --partition-by exchange,symbol,date',
      'tickline export --manifest manifest.json --out again',
      'python examples/analysts/plot_day.py --trades day --symbol BTC-USDT --out day.png',
    ]) {
      expect(page).toContain(`\n${command}`);
    }
  });
});
