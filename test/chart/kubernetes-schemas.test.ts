import { describe, expect, it } from 'vitest';
import { type KubernetesObject, nameOf } from './kubernetes-objects.ts';
import { KUBERNETES_VERSIONS, KubernetesSchemas } from './kubernetes-schemas.ts';
import { ciNames, renderCi } from './rendered.ts';

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a' },
  spec: { ports: [{ port: 80 }] },
};

describe.each(KUBERNETES_VERSIONS)('Kubernetes %s', (version) => {
  const schemas = new KubernetesSchemas(version);

  it.each(ciNames)('accepts every object of ci/%s-values.yaml, strictly', async (name) => {
    const { objects } = await renderCi(name);
    const own = objects.filter((object) => !isCustom(object));
    expect(own.length).toBeGreaterThan(0);
    expect(
      own.flatMap((object) => schemas.problemsOf(object).map((problem) => `${nameOf(object)}: ${problem}`)),
    ).toEqual([]);
  });

  it('accepts a right Service', () => {
    expect(schemas.problemsOf(service)).toEqual([]);
  });

  it.each<[string, Partial<KubernetesObject>]>([
    [
      '/spec must NOT have additional properties: selektor',
      { spec: { ...service.spec, selektor: { a: 'b' } } },
    ],
    ['/spec/ports/0/port must be integer', { spec: { ports: [{ port: 'http' }] } }],
    ["/spec/ports/0 must have required property 'port'", { spec: { ports: [{ name: 'http' }] } }],
    ['/metadata/labels/a must be string,null', { metadata: { name: 'a', labels: { a: 1 } as never } }],
    ['/ must NOT have additional properties: data', { data: {} }],
  ])('refuses: %s', (problem, change) => {
    expect(schemas.problemsOf({ ...service, ...change })).toEqual([problem]);
  });

  it.each([
    ['policy/v1beta1', 'PodDisruptionBudget'],
    ['extensions/v1beta1', 'Deployment'],
    ['v1', 'Servise'],
  ])('has no %s %s', (apiVersion, kind) => {
    expect(() => schemas.problemsOf({ apiVersion, kind, metadata: { name: 'a' } })).toThrow(
      `Kubernetes ${version} has no ${kind} of ${apiVersion}`,
    );
  });
});

/** Of the Prometheus operator: not Kubernetes' own. */
function isCustom({ apiVersion }: KubernetesObject): boolean {
  return apiVersion.startsWith('monitoring.coreos.com/');
}
