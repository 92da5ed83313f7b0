import { waitUntil } from '../stack/wait-until.ts';
import { type Cluster, isReady, type KubernetesObject, restartsOf } from './cluster.ts';
import { startCommand } from './command.ts';
import { shards } from './release-values.ts';

/** How the release is made: the chart's folder and a file with its values. */
export interface ReleaseSource {
  readonly chart: string;
  readonly valuesFile: string;
}

/** Marks namespaces that this test made, and may delete. */
const ownLabel = 'tickline.io/cluster-test';

/** Makes the namespace anew, with the level "restricted" of pod security enforced, warned of and audited. */
export async function freshNamespace(cluster: Cluster): Promise<void> {
  const { namespace } = cluster;
  const text = await cluster.kubectlWide([
    'get',
    'namespace',
    namespace,
    '--ignore-not-found',
    '--output=json',
  ]);
  if (text !== '') {
    const { metadata } = JSON.parse(text) as KubernetesObject;
    if (metadata.labels?.[ownLabel] === undefined) {
      throw new Error(
        `namespace ${namespace} is there and not ours: delete it, or name another by --namespace`,
      );
    }
    await deleteNamespace(cluster);
  }
  const modes = ['enforce', 'warn', 'audit'].map((mode) => [
    `pod-security.kubernetes.io/${mode}`,
    'restricted',
  ]);
  const labels = { [ownLabel]: 'yes', ...Object.fromEntries(modes) };
  await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }]);
}

/** Deletes the namespace and waits until it is gone. */
export async function deleteNamespace(cluster: Cluster): Promise<void> {
  await cluster.kubectlWide([
    'delete',
    'namespace',
    cluster.namespace,
    '--ignore-not-found',
    '--timeout=120s',
  ]);
}

/** What the chart renders, hooks and tests included, is accepted by the API server as it stands. */
export async function dryRun(cluster: Cluster, { chart, valuesFile }: ReleaseSource): Promise<string> {
  const rendered = await cluster.helm(['template', cluster.release, chart, '--values', valuesFile]);
  const accepted = await cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename=-'], {
    input: rendered,
  });
  return `${accepted.trim().split('\n').length} objects accepted`;
}

/** `helm install`, which waits until all is ready. */
export async function install(cluster: Cluster, { chart, valuesFile }: ReleaseSource): Promise<void> {
  await cluster.helm(['install', cluster.release, chart, '--values', valuesFile, '--wait', '--timeout=300s']);
}

/** `helm upgrade` with other values. */
export async function upgrade(
  cluster: Cluster,
  { chart, valuesFile }: ReleaseSource,
  ...settings: readonly string[]
): Promise<void> {
  const set = settings.flatMap((setting) => ['--set', setting]);
  await cluster.helm([
    ...['upgrade', cluster.release, chart, '--values', valuesFile, ...set, '--wait', '--timeout=300s'],
  ]);
}

/** `helm rollback` to a revision. */
export async function rollback(cluster: Cluster, revision: number): Promise<void> {
  await cluster.helm(['rollback', cluster.release, String(revision), '--wait', '--timeout=300s']);
}

/** `helm test`. */
export async function test(cluster: Cluster): Promise<void> {
  await cluster.helm(['test', cluster.release, '--timeout=180s']);
}

/** `helm uninstall`; then nothing of the release is left but what is marked to be kept. */
export async function uninstall(cluster: Cluster): Promise<string> {
  await cluster.helm(['uninstall', cluster.release, '--wait', '--timeout=180s']);
  const kinds = await cluster.kubectl(['api-resources', '--namespaced', '--verbs=list', '--output=name']);
  // Events are the cluster's own diary, and Endpoints its mirror of EndpointSlices.
  const listed = kinds
    .trim()
    .split('\n')
    .filter((kind) => !/^(events|endpoints)(\.|$)|metrics\.k8s\.io/.test(kind));
  const selector = `app.kubernetes.io/instance=${cluster.release}`;
  const left = await waitUntil(
    async () => {
      const found = await cluster.list(listed.join(','), selector);
      // What an owner that is gone has left goes with it, in a moment.
      return found.some(
        ({ metadata }) => metadata.ownerReferences !== undefined || metadata.deletionTimestamp !== undefined,
      )
        ? undefined
        : found;
    },
    { what: 'what the release owned to go', timeoutMs: 60_000, everyMs: 1_000 },
  );
  const kept = left.filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep');
  const forgotten = left.filter((object) => !kept.includes(object));
  if (forgotten.length > 0) throw new Error(`left after uninstall: ${forgotten.map(nameOf).join(', ')}`);
  return `nothing left in ${listed.length} kinds${kept.length === 0 ? '' : ` but ${kept.map(nameOf).join(', ')}, marked kept`}`;
}

/** Resolves when each shard has one pod that is ready and nothing ends any more; throws when a container was restarted. */
export async function settled(cluster: Cluster): Promise<void> {
  const pods = await waitUntil(
    async () => {
      const all = await cluster.list('pods', cluster.ingestors);
      const own = await cluster.ingestorPods();
      return all.length === shards && own.length === shards && own.every(isReady) ? own : undefined;
    },
    { what: `${shards} ready pods and no others`, timeoutMs: 180_000, everyMs: 500 },
  );
  const restarted = pods.filter((pod) => restartsOf(pod) > 0);
  if (restarted.length > 0)
    throw new Error(`containers were restarted in ${restarted.map(nameOf).join(', ')}`);
}

/** Asks for the eviction of a pod, as a drain does; resolves with whether the budget refused it (429). */
export async function evictionRefused(cluster: Cluster, pod: string): Promise<boolean> {
  const { namespace } = cluster;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  const end = await startCommand('kubectl', ['create', '--raw', path, '--filename=-'], {
    input: JSON.stringify(eviction),
    timeoutMs: 30_000,
  }).ended;
  if (end.code === 0) return false;
  if (isRefusal(end.stderr)) return true;
  throw new Error(`the eviction of ${pod} failed: ${end.stderr}`);
}

/** Whether kubectl says that a disruption budget is in the way. */
export function isRefusal(stderr: string): boolean {
  return stderr.includes('disruption budget');
}

function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}
