import { describe, expect, it } from 'vitest';
import { NAMESPACE } from './helm.ts';
import { type KubernetesObject, nameOf, ofKind, podsMade, workloads } from './kubernetes-objects.ts';
import { ciFile, ciNames, render, renderCi } from './rendered.ts';

/** As long as helm lets a release be named. */
const LONG_RELEASE = `long-${'x'.repeat(47)}e`;
/** RFC 1035, "Preferred name syntax": names of Services, and so of all objects here. */
const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Kubernetes documentation, "Labels and Selectors", "Syntax and character set". */
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/;
/** What the controller of a StatefulSet appends for the label `controller-revision-hash`. */
const REVISION = '-0123456789';

describe('a release with the longest name that helm takes', () => {
  it.concurrent.each(ciNames)('gives right names and labels with ci/%s-values.yaml', async (name) => {
    const { objects } = await render({ release: LONG_RELEASE, valuesFiles: [ciFile(name)] });
    for (const object of objects) {
      expect(object.metadata.name).toMatch(DNS_LABEL);
      const labels = [object.metadata.labels ?? {}, ...podsMade([object]).map((pod) => pod.labels)];
      for (const [label, value] of labels.flatMap(Object.entries)) {
        expect([nameOf(object), label, value]).toEqual([
          nameOf(object),
          label,
          expect.stringMatching(LABEL_VALUE),
        ]);
      }
    }
    for (const { metadata } of ofKind(objects, 'StatefulSet')) {
      expect(`${metadata.name}${REVISION}`).toMatch(LABEL_VALUE);
    }
    // A pod's name is its host name, of 63 characters at most: what controllers append must not be cut off.
    for (const { metadata } of ofKind(objects, 'Deployment')) {
      expect(metadata.name.length).toBeLessThanOrEqual(63);
    }
    expect(twice(objects.map(nameOf))).toEqual([]);
  });
});

describe('names that YAML would read as a number or as nothing', () => {
  it.concurrent.each(ciNames)('stay texts with ci/%s-values.yaml', async (name) => {
    for (const release of ['2026', 'null', '1e3']) {
      const { objects } = await render({
        release,
        valuesFiles: [ciFile(name)],
        set: { fullnameOverride: 'null', priorityClassName: '1', 'shards.overrides': {} },
        flags: ['--namespace', '456'],
      });
      const made = objects.filter((object) => !isExtra(object));
      for (const object of made) {
        const labels = [object.metadata.labels ?? {}, ...podsMade([object]).map((pod) => pod.labels)];
        for (const each of labels) expect(each['app.kubernetes.io/instance']).toBe(release);
        expect([object.metadata.namespace, typeof object.metadata.name]).toEqual(['456', 'string']);
      }
      expect(made.map(({ metadata }) => metadata.name)).toContain('null');
      for (const pod of podsMade(made)) {
        for (const { configMap } of pod.spec.volumes ?? [])
          expect(configMap?.name ?? 'no ConfigMap').toEqual(expect.any(String));
      }
      for (const { spec } of workloads(made)) {
        expect(spec.selector.matchLabels?.['app.kubernetes.io/instance']).toBe(release);
      }
    }
  });
});

describe.concurrent.each(ciNames)('objects with ci/%s-values.yaml', (name) => {
  it("are in the release's namespace and nowhere else", async () => {
    const { objects } = await renderCi(name);
    for (const { metadata } of objects) expect([undefined, NAMESPACE]).toContain(metadata.namespace);
    const elsewhere = await render({ valuesFiles: [ciFile(name)], flags: ['--namespace', 'elsewhere'] });
    expect(elsewhere.text).not.toContain(NAMESPACE);
    expect(shapeOf(elsewhere.objects).replaceAll('elsewhere', NAMESPACE)).toEqual(shapeOf(objects));
  });

  it('carry the common labels', async () => {
    for (const object of (await renderCi(name)).objects) {
      if (object.metadata.labels?.['app.kubernetes.io/instance'] === undefined) {
        expect(isExtra(object), nameOf(object)).toBe(true);
        continue;
      }
      expect(object.metadata.labels).toMatchObject({
        'app.kubernetes.io/name': expect.any(String),
        'app.kubernetes.io/instance': 'demo',
        'app.kubernetes.io/component': expect.any(String),
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': expect.stringMatching(/^tickline-\d/),
      });
    }
  });
});

describe('an upgrade', () => {
  it('from any of the values files to any other touches no field that can not be changed', async () => {
    const fixed = new Map<string, string>();
    for (const name of ciNames) {
      const { objects } = await renderCi(name);
      for (const workload of workloads(objects)) {
        const { selector, serviceName, podManagementPolicy } = workload.spec;
        const now = JSON.stringify({ selector, serviceName, podManagementPolicy });
        const known = fixed.get(nameOf(workload)) ?? now;
        expect([name, nameOf(workload), now]).toEqual([name, nameOf(workload), known]);
        fixed.set(nameOf(workload), known);
      }
      for (const service of ofKind(objects, 'Service')) {
        const headless = String(service.spec.clusterIP === 'None');
        expect(headless).toBe(fixed.get(nameOf(service)) ?? headless);
        fixed.set(nameOf(service), headless);
      }
    }
    expect(fixed.size).toBeGreaterThan(2);
  });
});

/** Given by the user word for word (extraObjects). */
function isExtra({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.['helm.sh/chart'] === undefined;
}

/** The objects without the checksums, which cover the namespace where the configuration names Services. */
function shapeOf(objects: readonly KubernetesObject[]): string {
  return JSON.stringify(objects, null, 2).replace(/("checksum\/[a-z-]+": )"[0-9a-f]{64}"/g, '$1');
}

function twice(names: readonly string[]): string[] {
  return names.filter((each, index) => names.indexOf(each) !== index);
}
