import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helmLint } from './helm.ts';
import { ciFile, ciNames, renderCi } from './rendered.ts';

const golden = join(import.meta.dirname, 'golden');

if (process.env.UPDATE_GOLDEN === '1') await writeGolden();

/** Takes over what the chart renders now: `UPDATE_GOLDEN=1 vitest run --project integration test/chart/lint-and-golden.test.ts`. */
async function writeGolden(): Promise<void> {
  rmSync(golden, { recursive: true, force: true });
  mkdirSync(golden);
  for (const name of ciNames) writeFileSync(fileOf(name), await renderedText(name));
}

function fileOf(name: string): string {
  return join(golden, `${name}.yaml`);
}

/** Helm 4 leaves the blank lines at the ends of documents that helm 3 takes out. */
async function renderedText(name: string): Promise<string> {
  const { text } = await renderCi(name);
  return text.replace(/\n{2,}(?=---\n|$)/g, '\n');
}

describe.each(ciNames)('values of ci/%s-values.yaml', (name) => {
  it('pass helm lint --strict', async () => {
    const { code, stdout } = await helmLint({ valuesFiles: [ciFile(name)] });
    expect({ code, remarks: stdout.split('\n').filter((line) => /^\[(WARNING|ERROR)]/.test(line)) }).toEqual({
      code: 0,
      remarks: [],
    });
  });

  it('render what is written down (UPDATE_GOLDEN=1 takes a wanted change over)', async () => {
    expect(await renderedText(name)).toBe(readFileSync(fileOf(name), 'utf8'));
  });
});

describe('the values files of ci', () => {
  it('are a dozen at least, each with a golden render', () => {
    expect(ciNames.length).toBeGreaterThanOrEqual(12);
    expect(readdirSync(golden).sort()).toEqual(ciNames.map((name) => `${name}.yaml`));
  });
});
