import { spawnSync } from 'node:child_process';

/** True where Prometheus' own checker can be run (Debian package `prometheus`). */
export const hasPromtool: boolean = spawnSync('promtool', ['--version']).error === undefined;

/** Remarks of `promtool check metrics` on an exposition, one a line; none when it is clean. */
export function checkMetrics(exposition: string): string[] {
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const remarks = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  // 0: nothing to remark; 3: remarks; 1: it could not be parsed.
  if (status !== 0 && status !== 3) throw new Error(`promtool can't read the metrics: ${remarks.join('\n')}`);
  return remarks;
}
