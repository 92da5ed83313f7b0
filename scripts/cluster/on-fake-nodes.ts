import type { Cluster } from './cluster.ts';
import { drainAndUncordon } from './drain.ts';
import {
  dryRun,
  evictionRefused,
  freshNamespace,
  install,
  type ReleaseSource,
  rollback,
  settled,
  test,
  uninstall,
  upgrade,
} from './release.ts';
import { shards } from './release-values.ts';
import type { Steps } from './steps.ts';

/**
 * What can be tried on nodes that only pretend to run pods (kwok): validation, admission, hooks, scheduling, rollouts, the
 * disruption budget, garbage collection. Nothing runs in the pods, so nothing is counted.
 */
export async function testOnFakeNodes(cluster: Cluster, source: ReleaseSource, steps: Steps): Promise<void> {
  await steps.step('namespace', async () => {
    await freshNamespace(cluster);
    return `${cluster.namespace}, pod security: restricted`;
  });
  await steps.step('dry run', () => dryRun(cluster, source));
  await steps.step('install', async () => {
    await install(cluster, source);
    await settled(cluster);
    const nodes = await nodesOf(cluster);
    if (new Set(nodes).size < shards)
      throw new Error(`all shards are on ${nodes.join()}: they should spread`);
    return `${shards} shards on ${nodes.join(' and ')}`;
  });
  await steps.step('helm test', async () => void (await test(cluster)));
  await steps.step('rollout', async () => {
    await cluster.kubectl(['rollout', 'restart', 'deployment', `--selector=${cluster.ingestors}`]);
    await cluster.rolledOut();
    await settled(cluster);
    return undefined;
  });
  await steps.step('drain', async () => {
    const [node] = await nodesOf(cluster);
    await drainAndUncordon(cluster, node!);
    await settled(cluster);
    const nodes = await nodesOf(cluster);
    if (nodes.includes(node!)) throw new Error(`a pod is on ${node} though it was drained`);
    return `${node}: its pod went to another; now on ${nodes.join(' and ')}`;
  });
  await steps.step('budget', async () => {
    const nodes = (await cluster.nodes()).map(({ metadata }) => metadata.name);
    const [first, second] = await cluster.ingestorPods();
    // Fake pods are replaced in milliseconds: with all nodes closed the first one's replacement has to wait.
    await cluster.cordon(nodes, true);
    try {
      if (await evictionRefused(cluster, first!.metadata.name))
        throw new Error('the first eviction was refused');
      if (!(await evictionRefused(cluster, second!.metadata.name))) throw new Error('the second was allowed');
    } finally {
      await cluster.cordon(nodes, false);
    }
    await settled(cluster);
    return 'while the first evicted pod has no successor, the second eviction is refused';
  });
  await steps.step('upgrade', async () => {
    await upgrade(cluster, source, 'config.log.level=debug');
    await settled(cluster);
    return undefined;
  });
  await steps.step('helm test', async () => void (await test(cluster)));
  await steps.step('rollback', async () => {
    await rollback(cluster, 1);
    await settled(cluster);
    return undefined;
  });
  await steps.step('uninstall', () => uninstall(cluster));
}

async function nodesOf(cluster: Cluster): Promise<string[]> {
  return (await cluster.ingestorPods()).map(({ spec }) => spec.nodeName!).sort();
}
