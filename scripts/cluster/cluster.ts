import { type CommandEnd, type RunningCommand, runCommand, startCommand } from './command.ts';

/** An object of Kubernetes, as far as we read it. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly unknown[];
  };
}

/** A pod, as far as we read it. */
export interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
    readonly initContainerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
  };
}

/** A node, as far as we read it. */
export interface NodeObject extends KubernetesObject {
  readonly spec: { readonly unschedulable?: boolean };
}

/** Lines by which the API server or helm warn: deprecated APIs, what a pod security level would refuse, unknown fields. */
export function warningsIn(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /^(Warning|WARNING):|\bwarnings\.go:/.test(line));
}

/** The cluster that the current kubeconfig names, and one namespace and one release in it. */
export class Cluster {
  readonly namespace: string;
  readonly release: string;
  readonly helmCommand: string;
  /** All that kubectl and helm warned of. */
  readonly warnings: string[] = [];

  constructor(namespace: string, release: string, helmCommand: string) {
    this.namespace = namespace;
    this.release = release;
    this.helmCommand = helmCommand;
  }

  /** kubectl in the namespace. */
  async kubectl(
    args: readonly string[],
    options: { input?: string; timeoutMs?: number } = {},
  ): Promise<string> {
    return this.heard(await runCommand('kubectl', ['--namespace', this.namespace, ...args], options)).stdout;
  }

  /** kubectl for what is in no namespace: nodes, namespaces. */
  async kubectlWide(args: readonly string[]): Promise<string> {
    return this.heard(await runCommand('kubectl', args)).stdout;
  }

  /** kubectl in the namespace, without waiting for its end. */
  startKubectl(args: readonly string[], timeoutMs: number): RunningCommand {
    return startCommand('kubectl', ['--namespace', this.namespace, ...args], { timeoutMs });
  }

  /** Helm in the namespace. */
  async helm(args: readonly string[], timeoutMs = 600_000): Promise<string> {
    const command = ['--namespace', this.namespace, ...args];
    return this.heard(await runCommand(this.helmCommand, command, { timeoutMs })).stdout;
  }

  /** The nodes. */
  async nodes(): Promise<readonly NodeObject[]> {
    const text = await this.kubectlWide(['get', 'nodes', '--output=json']);
    return (JSON.parse(text) as { items: readonly NodeObject[] }).items;
  }

  /** Closes nodes to new pods, or opens them. */
  async cordon(nodes: readonly string[], closed: boolean): Promise<void> {
    await this.kubectlWide([closed ? 'cordon' : 'uncordon', ...nodes]);
  }

  /** Objects of kinds (`pods,configmaps`) in the namespace, by labels. */
  async list<T extends KubernetesObject>(kind: string, selector: string): Promise<readonly T[]> {
    const text = await this.kubectl(['get', kind, `--selector=${selector}`, '--output=json']);
    return (JSON.parse(text) as { items: readonly T[] }).items;
  }

  async apply(objects: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.kubectl(['apply', '--filename=-'], { input });
  }

  /** What selects the pods of the shards. */
  get ingestors(): string {
    return `app.kubernetes.io/instance=${this.release},app.kubernetes.io/component=ingestor`;
  }

  /** The shards' pods that are not ending. */
  async ingestorPods(): Promise<readonly PodObject[]> {
    const pods = await this.list<PodObject>('pods', this.ingestors);
    return pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  }

  /** Resolves when every shard's Deployment has rolled out. */
  async rolledOut(timeoutSeconds = 300): Promise<void> {
    for (const { metadata } of await this.list('deployments', this.ingestors)) {
      await this.kubectl(
        ['rollout', 'status', `deployment/${metadata.name}`, `--timeout=${timeoutSeconds}s`],
        { timeoutMs: (timeoutSeconds + 30) * 1_000 },
      );
    }
  }

  private heard(end: CommandEnd): CommandEnd {
    this.warnings.push(...warningsIn(end.stderr));
    return end;
  }
}

/** Whether a pod is ready. */
export function isReady(pod: PodObject): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** How often containers of a pod were started again. */
export function restartsOf({ status }: PodObject): number {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
  return all.reduce((sum, { restartCount }) => sum + restartCount, 0);
}
