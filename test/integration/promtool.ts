import { spawnSync } from 'node:child_process';

/** Remarks of `promtool check metrics` on an exposition, one a line; none when it is clean. */
export function checkMetrics(exposition: string): string[] {
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw new Error('promtool can not be run: `node scripts/setup.ts tests` installs it', { cause: error });
  }
  const remarks = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  // 0: nothing to remark; 3: remarks; 1: it could not be parsed.
  if (status !== 0 && status !== 3) throw new Error(`promtool can't read the metrics: ${remarks.join('\n')}`);
  return remarks;
}
