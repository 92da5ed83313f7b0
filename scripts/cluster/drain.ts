import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import { isRefusal } from './release.ts';

/** How a drain went. */
export interface DrainFigures {
  /** Whether the budget held back a pod for a while. */
  readonly heldByBudget: boolean;
  /** Whether the node was opened again while the drain still ran, as no other could take the pods. */
  readonly onlyNode: boolean;
}

/**
 * Drains a node of the release's pods and opens it again. Where no other node takes them, the budget holds back all but the
 * first; the node is opened then, and the drain goes on as soon as the first is ready again.
 */
export async function drainAndUncordon(cluster: Cluster, node: string): Promise<DrainFigures> {
  const drain = cluster.startKubectl(
    [
      ...['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=240s'],
      `--pod-selector=${cluster.ingestors}`,
    ],
    260_000,
  );
  let ended = false;
  void drain.ended.finally(() => {
    ended = true;
  });
  let onlyNode = false;
  try {
    while (!ended) {
      if (!onlyNode && isRefusal(drain.stderr()) && !(await anyNodeIsOpen(cluster))) {
        onlyNode = true;
        await cluster.cordon([node], false);
      }
      await delay(500);
    }
    const { code, stderr } = await drain.ended;
    if (code !== 0) throw new Error(`the drain of ${node} failed: ${stderr}`);
    return { heldByBudget: isRefusal(stderr), onlyNode };
  } finally {
    await cluster.cordon([node], false);
  }
}

async function anyNodeIsOpen(cluster: Cluster): Promise<boolean> {
  const nodes = await cluster.nodes();
  return nodes.some(({ spec }) => spec.unschedulable !== true);
}
