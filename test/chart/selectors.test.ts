import { beforeAll, describe, expect, it } from 'vitest';
import {
  type KubernetesObject,
  type LabelSelector,
  nameOf,
  ofKind,
  type PodMade,
  podsMade,
  type Service,
  shardOf,
  shardPods,
  workloads,
} from './kubernetes-objects.ts';
import { selects } from './label-selector.ts';
import { ciNames, renderCi } from './rendered.ts';

/** Labels that change with an upgrade; a selector of a workload can't. */
const CHANGING = ['helm.sh/chart', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by'];

describe.each(ciNames)('selectors with ci/%s-values.yaml', (name) => {
  let objects: readonly KubernetesObject[];
  let pods: PodMade[];
  let shards: PodMade[];

  beforeAll(async () => {
    objects = (await renderCi(name)).objects;
    pods = podsMade(objects);
    shards = shardPods(objects);
  });

  const taken = (selector: LabelSelector): PodMade[] =>
    pods.filter(({ labels }) => selects(selector, labels));
  const takenBy = ({ spec }: Service): PodMade[] => taken({ matchLabels: spec.selector ?? {} });

  it('there is a pod for every shard, and each is another one', () => {
    expect(shards.map(shardOf)).toEqual(shards.map((_, index) => index));
  });

  it('each workload takes its own pods and no others, by labels that stay', () => {
    for (const workload of workloads(objects)) {
      const { selector } = workload.spec;
      expect(taken(selector)).toEqual(pods.filter(({ object }) => object === workload));
      expect(selector.matchExpressions).toBeUndefined();
      expect(CHANGING.filter((label) => label in (selector.matchLabels ?? {}))).toEqual([]);
    }
  });

  it('each Service takes the pods of one shard when it is named for one, and otherwise of all', () => {
    const services = ofKind(objects, 'Service');
    expect(services.length).toBeGreaterThan(0);
    for (const service of services) {
      const shard = /-shard-(\d+)$/.exec(service.metadata.name)?.[1];
      const meant = shard === undefined ? shards : shards.filter((pod) => shardOf(pod) === Number(shard));
      expect([nameOf(service), takenBy(service)]).toEqual([nameOf(service), meant]);
      expect(meant).not.toEqual([]);
    }
  });

  it('one disruption budget takes the pods of all shards, and of hooks none', () => {
    for (const { spec } of ofKind(objects, 'PodDisruptionBudget')) {
      expect(taken(spec.selector)).toEqual(shards);
      expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    }
    // A pod under two budgets can't be evicted at all.
    expect(ofKind(objects, 'PodDisruptionBudget').length).toBeLessThanOrEqual(1);
  });

  it('each network policy takes pods: of all shards, or of hooks alone', () => {
    for (const policy of ofKind(objects, 'NetworkPolicy')) {
      const selected = taken(policy.spec.podSelector);
      expect(selected).not.toEqual([]);
      const ofShards = selected.filter((pod) => shards.includes(pod));
      expect([[], shards]).toContainEqual(ofShards);
    }
  });

  it('each monitor finds every shard once, at ports that have the name it asks for', () => {
    for (const { spec } of ofKind(objects, 'PodMonitor')) {
      expect(taken(spec.selector)).toEqual(shards);
      const ports = spec.podMetricsEndpoints?.map(({ port }) => port);
      expect(ports).toEqual(['metrics', 'sidecar']);
      for (const pod of shards) expect(portNames(pod)).toEqual(expect.arrayContaining(ports ?? []));
    }
    for (const { spec } of ofKind(objects, 'ServiceMonitor')) {
      const services = ofKind(objects, 'Service').filter(({ metadata }) =>
        selects(spec.selector, metadata.labels ?? {}),
      );
      expect(services).toHaveLength(1);
      expect(services.flatMap(takenBy)).toEqual(shards);
      expect(services[0]?.spec.ports.map((port) => port.name)).toEqual(
        expect.arrayContaining(spec.endpoints?.map(({ port }) => port) ?? []),
      );
      expect(spec.endpoints?.map(({ port }) => port)).toEqual(['metrics', 'sidecar']);
    }
  });

  it('spread is over the pods of all shards, anti-affinity over those that a rollout of the own shard does not make', () => {
    for (const pod of shards) {
      const { spec, object } = pod;
      const others = object.kind === 'Deployment' ? shards.filter((each) => each !== pod) : shards;
      const { podAntiAffinity = {} } = spec.affinity ?? {};
      const {
        preferredDuringSchedulingIgnoredDuringExecution: soft = [],
        requiredDuringSchedulingIgnoredDuringExecution: hard = [],
      } = podAntiAffinity;
      const terms = [...soft.map(({ podAffinityTerm }) => podAffinityTerm), ...hard];
      for (const { labelSelector } of terms) expect(taken(labelSelector ?? {})).toEqual(others);
      for (const { labelSelector } of spec.topologySpreadConstraints ?? []) {
        expect(taken(labelSelector ?? {})).toEqual(shards);
      }
    }
  });

  it('a Service leads to ports that its pods have', () => {
    for (const service of ofKind(objects, 'Service')) {
      for (const { name: portName, port, targetPort = port } of service.spec.ports) {
        for (const pod of takenBy(service)) {
          expect(portsOf(pod), `port ${portName} of ${nameOf(service)}`).toContainEqual(targetPort);
        }
      }
    }
  });
});

/** A pod's ports by number and, those of plain containers, by name. */
function portsOf({ spec }: PodMade): (number | string | undefined)[] {
  const { containers, initContainers = [] } = spec;
  return [
    ...containers.flatMap(({ ports = [] }) => ports.flatMap((port) => [port.containerPort, port.name])),
    // Not every version of Kubernetes looks up the name of a native sidecar's port for a Service.
    ...initContainers.flatMap(({ ports = [] }) => ports.map((port) => port.containerPort)),
  ];
}

function portNames({ spec }: PodMade): (string | undefined)[] {
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ ports = [] }) =>
    ports.map((port) => port.name),
  );
}
