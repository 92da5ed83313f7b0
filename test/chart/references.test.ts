import { beforeAll, describe, expect, it } from 'vitest';
import { ciValues, isValues, type Value } from './ci-values.ts';
import {
  type Container,
  containersOf,
  hookOf,
  type KubernetesObject,
  ofKind,
  type PodMade,
  PROBES,
  podsMade,
} from './kubernetes-objects.ts';
import { type MountedFile, mountedFiles } from './mounted-files.ts';
import { ciNames, renderCi } from './rendered.ts';

describe.each(ciNames)('references with ci/%s-values.yaml', (name) => {
  let objects: readonly KubernetesObject[];
  let pods: PodMade[];

  beforeAll(async () => {
    objects = (await renderCi(name)).objects;
    pods = podsMade(objects);
  });

  /** All containers, each with how the test calls it. */
  const containers = (): { who: string; pod: PodMade; container: Container }[] =>
    pods.flatMap((pod) =>
      containersOf(pod.spec).map((container) => ({
        who: `${container.name} of ${pod.by}`,
        pod,
        container,
      })),
    );

  it('what is mounted is a volume, and every volume is mounted', () => {
    for (const { by, spec } of pods) {
      const mounted = containersOf(spec).flatMap(({ volumeMounts = [] }) =>
        volumeMounts.map((mount) => mount.name),
      );
      const volumes = (spec.volumes ?? []).map((volume) => volume.name);
      expect([by, [...new Set(mounted)].sort()]).toEqual([by, [...volumes].sort()]);
    }
  });

  it('a key of a ConfigMap or Secret exists, or the values name it as existing', () => {
    const declared = pairsIn(ciValues(name));
    for (const { who, pod, container } of containers()) {
      const files = mountedFiles(pod.spec, container, objects);
      const missing = files.filter((file) => file.text === null && !declared.has(pairOf(file)));
      expect([who, missing]).toEqual([who, []]);
      for (const { name: variable, valueFrom } of container.env ?? []) {
        const key = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
        if (key !== undefined)
          expect([variable, declared]).toEqual([variable, setWith(`${key.name}/${key.key}`)]);
      }
    }
  });

  it('no object of the chart holds a secret', () => {
    expect(ofKind(objects, 'Secret')).toEqual([]);
  });

  it('what a hook needs before the release exists is made by the same hooks, and earlier', () => {
    for (const { by, spec, object } of pods) {
      const events = eventsOf(object);
      if (!events.includes('pre-install')) continue;
      for (const { configMap } of spec.volumes ?? []) {
        if (configMap === undefined) continue;
        const found = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === configMap.name);
        expect([by, found && eventsOf(found)]).toEqual([by, expect.arrayContaining(events)]);
        expect(weightOf(found!)).toBeLessThan(weightOf(object));
      }
      // A Job can't be changed: the next upgrade makes it anew.
      const policy = object.metadata.annotations?.['helm.sh/hook-delete-policy'];
      expect([by, policy?.split(',')]).toEqual([by, expect.arrayContaining(['before-hook-creation'])]);
    }
  });

  it("a probe's port is one of its container", () => {
    for (const { who, container } of containers()) {
      const { ports = [] } = container;
      for (const probe of PROBES) {
        const handler = container[probe]?.httpGet ?? container[probe]?.tcpSocket;
        if (handler === undefined) continue;
        const known = ports.flatMap((port) => [port.name, port.containerPort]);
        expect(known, `${probe} of ${who}`).toContainEqual(handler.port);
      }
    }
  });

  it('names of ports, variables, volumes and mounts are given once', () => {
    for (const { by, spec } of pods) {
      const all = containersOf(spec);
      const ports = all.flatMap((container) => container.ports ?? []);
      expect([by, twice(ports.map((port) => port.name))]).toEqual([by, []]);
      expect([by, twice(ports.map((port) => `${port.containerPort}/${port.protocol ?? 'TCP'}`))]).toEqual([
        by,
        [],
      ]);
      expect([by, twice((spec.volumes ?? []).map((volume) => volume.name))]).toEqual([by, []]);
      for (const { env = [], volumeMounts = [] } of all) {
        expect([by, twice(env.map((variable) => variable.name))]).toEqual([by, []]);
        expect([by, twice(volumeMounts.map((mount) => mount.mountPath))]).toEqual([by, []]);
      }
    }
  });

  it('a service account that is named is made here, or the values name it', () => {
    const made = ofKind(objects, 'ServiceAccount').map(({ metadata }) => metadata.name);
    const named = textsIn(ciValues(name));
    for (const { spec } of pods) {
      expect(['default', ...made, ...named]).toContain(spec.serviceAccountName ?? 'default');
    }
  });
});

/** The moments at which helm makes an object of a hook. */
function eventsOf(object: KubernetesObject): string[] {
  return hookOf(object)?.split(',') ?? [];
}

/** Helm's order among the objects of a hook. */
function weightOf({ metadata }: KubernetesObject): number {
  return Number(metadata.annotations?.['helm.sh/hook-weight'] ?? 0);
}

function pairOf({ object, key }: MountedFile): string {
  return `${object}/${key}`;
}

function setWith(member: string): unknown {
  return expect.toSatisfy((set: ReadonlySet<string>) => set.has(member), `to name ${member}`);
}

/** `NAME/KEY` of every reference in the values. */
function pairsIn(value: Value): ReadonlySet<string> {
  if (Array.isArray(value)) return new Set(value.flatMap((each) => [...pairsIn(each)]));
  if (!isValues(value)) return new Set();
  const { name, key } = value;
  const own = typeof name === 'string' && typeof key === 'string' ? [`${name}/${key}`] : [];
  return new Set([...own, ...Object.values(value).flatMap((each) => [...pairsIn(each)])]);
}

function textsIn(value: Value): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isValues(value) ? Object.values(value).flatMap(textsIn) : [];
}

function twice(names: readonly (string | undefined)[]): string[] {
  return names.filter((each, index): each is string => each !== undefined && names.indexOf(each) !== index);
}
