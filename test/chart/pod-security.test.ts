import { describe, expect, it } from 'vitest';
import { containersOf, ofKind, podsMade, shardPods } from './kubernetes-objects.ts';
import { ciFile, ciNames, render, renderCi } from './rendered.ts';
import { restrictedBreaches } from './restricted-pod-security.ts';

const RBAC = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe.each(ciNames)('pods with ci/%s-values.yaml', (name) => {
  it('are admitted by the profile "restricted", those of hooks and tests too', async () => {
    const pods = podsMade((await renderCi(name)).objects);
    expect(pods.flatMap(({ by, spec }) => restrictedBreaches(spec).map((each) => `${by}: ${each}`))).toEqual(
      [],
    );
  });

  it('write to no root file system, get no token and no right', async () => {
    const { objects } = await renderCi(name);
    for (const { by, spec } of podsMade(objects)) {
      expect([by, spec.automountServiceAccountToken]).toEqual([by, false]);
      for (const container of containersOf(spec)) {
        expect([by, container.name, container.securityContext?.readOnlyRootFilesystem]).toEqual([
          by,
          container.name,
          true,
        ]);
      }
    }
    for (const account of ofKind(objects, 'ServiceAccount')) {
      expect(account.automountServiceAccountToken).toBe(false);
    }
    expect(objects.filter(({ kind }) => RBAC.includes(kind))).toEqual([]);
  });

  it('run one image, by its digest when there is one', async () => {
    const values = {
      'image.digest': DIGEST,
      'image.repository': 'registry.example/tickline',
      'image.tag': 'ignored',
    };
    const { objects } = await render({ valuesFiles: [ciFile(name)], set: values });
    const images = podsMade(objects)
      .flatMap(({ spec }) => containersOf(spec))
      .filter(({ command }) => command?.[0] === 'node')
      .map(({ image }) => image);
    expect(images.length).toBeGreaterThanOrEqual(2);
    expect(new Set(images)).toEqual(new Set([`registry.example/tickline@${DIGEST}`]));
  });

  it('limit the memory of ingestor and sidecar, and keep their heaps within it', async () => {
    for (const { by, spec } of shardPods((await renderCi(name)).objects)) {
      for (const { name: container, command, resources, env } of containersOf(spec)) {
        if (command?.[0] !== 'node') continue;
        const limit = bytesOf(resources?.limits?.memory);
        const options = env?.find((variable) => variable.name === 'NODE_OPTIONS')?.value ?? '';
        const heap = Number(/--max-old-space-size=(\d+)/.exec(options)?.[1]) * 1024 * 1024;
        expect([by, container, heap > 0 && heap < limit]).toEqual([by, container, true]);
      }
    }
  });
});

/** A quantity of memory (Kubernetes documentation, "Resource Management", "Memory resource units"). */
function bytesOf(quantity: string | number | undefined): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]i?)?$/.exec(String(quantity)) ?? [];
  const power = ['', 'K', 'M', 'G', 'T'].indexOf(unit.charAt(0));
  return Number(digits) * (unit.endsWith('i') ? 1024 : 1000) ** power;
}
