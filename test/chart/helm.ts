import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pythonFolder } from '../../scripts/setup.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';

/** The chart under test. */
export const chartFolder = join(repositoryRoot, 'charts', 'tickline');

/** The release that the tests render, and its namespace. */
export const RELEASE = 'demo';
export const NAMESPACE = 'release-namespace';

/** What helm is told besides the chart. */
export interface HelmInput {
  /** The folder of the chart, if it is another one. */
  readonly chart?: string;
  readonly release?: string;
  /** Values files, later ones win. */
  readonly valuesFiles?: readonly string[];
  /** Values that win over the files, as `--set-json` takes them: by path. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly kubeVersion?: string;
  /** Further flags. */
  readonly flags?: readonly string[];
}

/** How a run of helm ended. */
export interface HelmAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Renders the chart as an upgrade or install of a cluster would get it. Does not throw when helm refuses. */
export function helmTemplate(input: HelmInput = {}): Promise<HelmAnswer> {
  const { chart = chartFolder, release = RELEASE, kubeVersion = '1.29.0', flags = [] } = input;
  return runHelm([
    ...['template', release, chart, '--namespace', NAMESPACE, '--kube-version', kubeVersion],
    ...valuesFlags(input),
    ...flags,
  ]);
}

/** `helm lint --strict` of the chart: warnings count as failures. */
export function helmLint(input: HelmInput = {}): Promise<HelmAnswer> {
  return runHelm(['lint', '--strict', chartFolder, ...valuesFlags(input), ...(input.flags ?? [])]);
}

function valuesFlags({ valuesFiles = [], set = {} }: HelmInput): string[] {
  return [
    ...valuesFiles.flatMap((file) => ['--values', file]),
    ...Object.entries(set).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]),
  ];
}

/** The tests' helm (3.17), or the one that `HELM` names. */
export function helmProgram(): string {
  const own = process.env.HELM ?? join(pythonFolder, 'bin/helm');
  if (process.env.HELM === undefined && !existsSync(own)) {
    throw new Error(`${own} is not there: \`node scripts/setup.ts tests\` installs it`);
  }
  return own;
}

function runHelm(args: readonly string[]): Promise<HelmAnswer> {
  const program = helmProgram();
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
  });
}
