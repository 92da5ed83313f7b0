import { describe, expect, it } from 'vitest';
import { releaseValues, splitImage } from './release-values.ts';
import { StackAddresses, stackObjects } from './stack-objects.ts';

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly { readonly securityContext: object; readonly image: string }[];
  readonly initContainers?: readonly { readonly securityContext: object; readonly image: string }[];
  readonly volumes: readonly object[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: PodSpec & { readonly ports: readonly { readonly port: number }[] };
}

const addresses = new StackAddresses('ns');
const objects = stackObjects('stack:1', 100, addresses) as Manifest[];

describe('the test stack', () => {
  it('is Kafka, a registry and the exchanges, each a pod with a Service', () => {
    const names = (kind: string): string[] =>
      objects.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
    expect(names('Pod')).toEqual(['kafka', 'registry', 'exchanges']);
    expect(names('Service')).toEqual(['kafka', 'registry', 'exchanges']);
    expect(names('ConfigMap')).toEqual(['kafka']);
  });

  it('keeps to the level "restricted" of pod security', () => {
    for (const { spec } of objects.filter(({ kind }) => kind === 'Pod')) {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { image, securityContext } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect(image).toBe('stack:1');
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('is where the values of the release say', () => {
    const values = JSON.stringify(releaseValues('tickline:1', addresses));
    for (const address of ['kafka.ns.svc:9092', 'http://registry.ns.svc:8080/apis/ccompat/v7']) {
      expect(values).toContain(address);
    }
    const ports = objects
      .filter(({ kind, metadata }) => kind === 'Service' && metadata.name === 'exchanges')
      .flatMap(({ spec }) => spec.ports.map(({ port }) => port));
    expect(ports).toHaveLength(4);
    for (const port of ports) expect(values).toContain(`ws://exchanges.ns.svc:${port}`);
  });
});

describe('an image', () => {
  it('is a repository and a tag', () => {
    expect(splitImage('tickline:1.2')).toEqual({ repository: 'tickline', tag: '1.2' });
    expect(splitImage('registry:5000/a/tickline:1')).toEqual({
      repository: 'registry:5000/a/tickline',
      tag: '1',
    });
    expect(() => splitImage('registry:5000/tickline')).toThrow('name the image as REPOSITORY:TAG');
  });
});
