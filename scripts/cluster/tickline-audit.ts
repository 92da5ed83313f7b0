import { waitUntil } from '../stack/wait-until.ts';
import type { AuditedRow } from './audit/two-audits.ts';
import type { Cluster, PodObject } from './cluster.ts';
import { containerSecurity, podSecurity, type StackAddresses } from './stack-objects.ts';

const name = 'tickline-audit';

/** Runs `tickline audit trades` of our image as a pod, and resolves with its rows. */
export async function ticklineAudit(
  cluster: Cluster,
  image: string,
  { broker, registryUrl }: StackAddresses,
): Promise<readonly AuditedRow[]> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity,
      containers: [
        {
          name: 'audit',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', 'services/replay/main.js', 'audit', 'trades', '--json'],
          args: [`--kafka.brokers=${broker}`, `--registry.url=${registryUrl}`],
          securityContext: containerSecurity,
          resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        },
      ],
    },
  };
  await cluster.apply([pod]);
  // It ends with 1 when something is missing, as it is here.
  await waitUntil(
    async () => {
      const text = await cluster.kubectl(['get', 'pod', name, '--output=json']);
      const { phase } = (JSON.parse(text) as PodObject).status;
      return phase === 'Succeeded' || phase === 'Failed' || undefined;
    },
    { what: `pod ${name} to end`, timeoutMs: 120_000, everyMs: 500 },
  );
  const log = await cluster.kubectl(['logs', name]);
  const answer = log.split('\n').find((line) => line.startsWith('{'));
  if (answer === undefined) throw new Error(`\`tickline audit\` answers no JSON:\n${log}`);
  return (JSON.parse(answer) as { rows: readonly AuditedRow[] }).rows;
}
