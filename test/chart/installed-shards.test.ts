import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helmTemplate, NAMESPACE } from './helm.ts';
import { ofKind } from './kubernetes-objects.ts';
import { ciFile, render } from './rendered.ts';

/** A kind by its plural. */
type Kinds = Readonly<Record<string, string>>;

function resourceList(groupVersion: string, kinds: Kinds): unknown {
  const resources = Object.entries(kinds).map(([name, kind]) => ({
    name,
    kind,
    namespaced: true,
    verbs: ['get'],
  }));
  return { kind: 'APIResourceList', groupVersion, resources };
}

function group(name: string): unknown {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

/** As much of Kubernetes' API as helm asks for a `lookup`, and helm 4 for knowing the kinds of the chart. */
const api = new Map<string, unknown>([
  ['/version', { major: '1', minor: '29', gitVersion: 'v1.29.0' }],
  ['/api', { kind: 'APIVersions', versions: ['v1'] }],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: ['apps', 'policy'].map(group) }],
  ['/api/v1', resourceList('v1', { configmaps: 'ConfigMap', services: 'Service' })],
  ['/apis/apps/v1', resourceList('apps/v1', { deployments: 'Deployment' })],
  ['/apis/policy/v1', resourceList('policy/v1', { poddisruptionbudgets: 'PodDisruptionBudget' })],
]);
const PLACE = `/api/v1/namespaces/${NAMESPACE}/configmaps/demo-tickline`;

let server: Server;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const answer = api.get(new URL(url, 'http://localhost').pathname);
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    const missing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
    response.end(JSON.stringify(answer ?? missing));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Shards {
  readonly count: number;
  readonly previousCount?: number;
}

/** The values of `shards`, as `--set-json` takes them. */
function valuesOf({ count, previousCount }: Shards): Record<string, unknown> {
  return { 'shards.count': count, 'shards.previousCount': previousCount ?? null };
}

/** What an upgrade to these shards is refused with, where the chart has been installed with those; null: it is not. */
async function refusal(installed: Shards | null, to: Shards): Promise<string | null> {
  api.delete(PLACE);
  if (installed !== null) {
    const { objects } = await render({ valuesFiles: [ciFile('minimal')], set: valuesOf(installed) });
    api.set(
      PLACE,
      ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'demo-tickline'),
    );
  }
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await helmTemplate({
    valuesFiles: [ciFile('minimal')],
    set: valuesOf(to),
    flags: [
      '--dry-run=server',
      '--is-upgrade',
      '--disable-openapi-validation',
      `--kube-apiserver=http://127.0.0.1:${port}`,
    ],
  });
  if (code === 0) return null;
  return /^- (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

describe('an upgrade of what is installed', () => {
  it.each<[string, Shards | null, Shards]>([
    ['of nothing, since it is the first', null, { count: 3 }],
    ['that leaves the count', { count: 2 }, { count: 2 }],
    ['that expands', { count: 2 }, { count: 3, previousCount: 2 }],
    ['that tries to expand again', { count: 3, previousCount: 2 }, { count: 3, previousCount: 2 }],
    ['that contracts', { count: 3, previousCount: 2 }, { count: 3 }],
    ['that goes back from the step between', { count: 3, previousCount: 2 }, { count: 2 }],
    ['that shrinks', { count: 4 }, { count: 2, previousCount: 4 }],
  ])('is taken: %s', async (_, installed, to) => {
    expect(await refusal(installed, to)).toBeNull();
  });

  it.each<[Shards, Shards, string]>([
    [{ count: 2 }, { count: 3 }, 'from 2 to 3 in one step'],
    [{ count: 4 }, { count: 2 }, 'from 4 to 2 in one step'],
    [{ count: 2 }, { count: 4, previousCount: 3 }, 'from 2 to 4 in one step'],
    [{ count: 3, previousCount: 2 }, { count: 4 }, 'from 3 to 4 in one step'],
  ])('from %j to %j is refused, and the sentence names the step between', async (installed, to, words) => {
    const sentence = await refusal(installed, to);
    expect(sentence).toContain(`shards.count would go ${words}`);
    expect(sentence).toContain(`upgrade with shards.previousCount ${installed.count} first`);
  });
});
