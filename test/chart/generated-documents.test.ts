import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';

/** What writes files of the chart from other sources; `--check` fails when a file is not what it would write. */
const GENERATORS = [
  ['scripts/chart/readme.ts', 'charts/tickline/README.md, from values.yaml'],
  ['scripts/chart/kubernetes-types.ts', "Kubernetes' types in values.schema.json"],
  ['services/ingestor/src/config/json-schema.ts', "the ingestor's configuration in values.schema.json"],
] as const;

describe('generated documents of the chart', () => {
  it.each(GENERATORS)('%s would change nothing: %s', (generator) => {
    const run = () => execFileSync(process.execPath, [generator, '--check'], { cwd: repositoryRoot });
    expect(run).not.toThrow();
  });
});
