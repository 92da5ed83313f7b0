import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chartFolder, type HelmInput, helmProgram, helmTemplate, NAMESPACE, RELEASE } from './helm.ts';
import { type KubernetesObject, readObjects } from './kubernetes-objects.ts';
import { sharedText } from './render-cache.ts';

const SUFFIX = '-values.yaml';
const ciFolder = join(chartFolder, 'ci');

/** The values files that stand for what people install, by name: `default`, `tls`, …; all of charts/tickline/ci. */
export const ciNames = readdirSync(ciFolder)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .sort();

/** One of {@link ciNames}. */
export function ciFile(name: string): string {
  return join(ciFolder, `${name}${SUFFIX}`);
}

/** What helm made of the chart. */
export interface Rendered {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
}

const renders = new Map<string, Promise<Rendered>>();

/** The chart with one of the ci values files, rendered once for all tests. */
export function renderCi(name: string): Promise<Rendered> {
  const known = renders.get(name) ?? shared(name);
  renders.set(name, known);
  return known;
}

async function shared(name: string): Promise<Rendered> {
  const text = await sharedText(chartFolder, helmProgram(), [RELEASE, NAMESPACE, name], async () => {
    const rendered = await render({ valuesFiles: [ciFile(name)] });
    return rendered.text;
  });
  return { text, objects: readObjects(text) };
}

/** Renders the chart. @throws Error with helm's words when it refuses */
export async function render(input: HelmInput): Promise<Rendered> {
  const { code, stdout, stderr } = await helmTemplate(input);
  if (code !== 0) throw new Error(stderr);
  return { text: stdout, objects: readObjects(stdout) };
}
