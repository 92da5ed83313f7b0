import { describe, expect, it } from 'vitest';
import { exchanges } from '../../services/ingestor/src/exchanges/registry.ts';
import { mergedValues, type Value, type Values, valueAt } from './ci-values.ts';
import {
  hookOf,
  type KubernetesObject,
  type Labels,
  ofKind,
  type PodMade,
  podsMade,
  shardPods,
} from './kubernetes-objects.ts';
import { type Peer, policiesAllow } from './network-policy-rules.ts';
import { ciNames, renderCi } from './rendered.ts';

const PUBLIC = [{ address: '52.84.150.1' }, { address: '2600:9000:2000::1' }];
/** Private networks, the machine itself, and where clouds serve the credentials of a node. */
const PRIVATE = [
  '10.1.2.3',
  '172.16.0.9',
  '192.168.7.7',
  '100.64.1.1',
  '127.0.0.1',
  '169.254.169.254',
  'fd00::1',
].map((address) => ({ address }));
const STRANGER: Peer = {
  labels: { app: 'stranger' },
  namespace: { name: 'elsewhere' },
  sameNamespace: false,
};
const DNS = 53;
/** Those of the exchanges' own documentation besides what is configured. */
const EXCHANGE_PORTS = [443, 8443, 9443];
/** Ports that nobody named: a rule that allows them allows too much. */
const UNNAMED = [1, 22, 25, 80, 2379, 5432, 6443, 8080, 10250, 65535];

const withPolicy = ciNames.filter((name) => valueAt(mergedValues(name), 'networkPolicy.enabled') === true);

describe('network policies', () => {
  it('are part of some ci values, with and without own peers', () => {
    expect(withPolicy.length).toBeGreaterThanOrEqual(1);
  });

  it('are rendered when they are enabled only', async () => {
    for (const name of ciNames) {
      const policies = ofKind((await renderCi(name)).objects, 'NetworkPolicy');
      expect([name, policies.length > 0]).toEqual([name, withPolicy.includes(name)]);
    }
  });
});

describe.each(withPolicy)('network policies of ci/%s-values.yaml', (name) => {
  const values = mergedValues(name);
  const wanted = portsWanted(values);
  const port = (path: string): number => Number(valueAt(values, path));
  const own = (path: string): boolean =>
    (valueAt(values, path) as readonly Value[] | undefined)?.length !== 0;
  const reachable = async (pod: (objects: readonly KubernetesObject[]) => PodMade, peer: Peer) => {
    const { objects } = await renderCi(name);
    return allowed(objects, pod(objects), 'egress', peer);
  };

  it('every endpoint of every exchange is reached at public addresses', async () => {
    expect(wanted.exchanges.length).toBeGreaterThanOrEqual(3);
    if (own('networkPolicy.egress.exchangesTo')) return;
    for (const peer of PUBLIC) {
      expect(await reachable(anyShard, peer)).toEqual(expect.arrayContaining(wanted.exchanges));
    }
  });

  it('a pod reaches DNS, brokers, registry, Redis and exchanges, and nothing else', async () => {
    const anywhere = [
      ...(own('networkPolicy.egress.dnsTo') ? [] : [DNS]),
      ...(own('networkPolicy.egress.kafkaTo') ? [] : wanted.kafka),
      ...(own('networkPolicy.egress.registryTo') ? [] : wanted.registry),
      ...(own('networkPolicy.egress.redisTo') ? [] : wanted.redis),
    ];
    const outside = own('networkPolicy.egress.exchangesTo') ? [] : wanted.exchanges;
    for (const peer of PUBLIC) {
      expect([peer, await reachable(anyShard, peer)]).toEqual([peer, sorted([...anywhere, ...outside])]);
    }
    for (const peer of [...PRIVATE, STRANGER]) {
      expect([peer, await reachable(anyShard, peer)]).toEqual([peer, sorted(anywhere)]);
    }
    const sidecars = valueAt(values, 'sidecar.fleet') === true ? [port('sidecar.port')] : [];
    const { objects } = await renderCi(name);
    const other: Peer = { labels: anyShard(objects).labels, namespace: {}, sameNamespace: true };
    expect(await reachable(anyShard, other)).toEqual(sorted([...anywhere, ...sidecars]));
  });

  it('own peers are reached at their ports', async () => {
    const { objects } = await renderCi(name);
    for (const [what, ports] of Object.entries(wanted)) {
      for (const peer of peersOf(valueAt(values, `networkPolicy.egress.${what}To`))) {
        expect(allowed(objects, anyShard(objects), 'egress', peer)).toEqual(expect.arrayContaining(ports));
      }
    }
  });

  it('the Job of the topics reaches DNS, brokers and registry alone, and nobody reaches it', async () => {
    const { objects } = await renderCi(name);
    const job = podsMade(objects).find(({ object }) => object.kind === 'Job');
    if (job === undefined) return;
    const anywhere = [
      ...(own('networkPolicy.egress.dnsTo') ? [] : [DNS]),
      ...(own('networkPolicy.egress.kafkaTo') ? [] : wanted.kafka),
      ...(own('networkPolicy.egress.registryTo') ? [] : wanted.registry),
    ];
    for (const peer of [...PUBLIC, ...PRIVATE, STRANGER]) {
      expect([peer, allowed(objects, job, 'egress', peer)]).toEqual([peer, sorted(anywhere)]);
    }
    expect(allowed(objects, job, 'ingress', STRANGER)).toEqual([]);
  });

  it('scraping, page and gRPC are reached by whom the values name, and the status port by nobody', async () => {
    const { objects } = await renderCi(name);
    const pod = anyShard(objects);
    const grpc = valueAt(values, 'config.grpc.enabled') === true ? [port('config.grpc.port')] : [];
    const scraped = [port('config.metrics.port'), port('sidecar.port')];
    const gates = [
      ['scrapingFrom', scraped],
      ['pageFrom', [port('sidecar.port')]],
      ['grpcFrom', grpc],
    ] as const;
    const open = gates.flatMap(([gate, ports]) => (own(`networkPolicy.ingress.${gate}`) ? [] : ports));
    expect(allowed(objects, pod, 'ingress', STRANGER)).toEqual(sorted(open));
    for (const [gate, ports] of gates) {
      for (const peer of peersOf(valueAt(values, `networkPolicy.ingress.${gate}`))) {
        expect(allowed(objects, pod, 'ingress', peer)).toEqual(sorted([...open, ...ports]));
      }
    }
  });

  it('the test of the release reaches metrics and sidecar of every shard', async () => {
    const { objects } = await renderCi(name);
    const test = podsMade(objects).find(({ object }) => hookOf(object) === 'test');
    if (test === undefined) return;
    for (const pod of shardPods(objects)) {
      const to: Peer = { labels: pod.labels, namespace: {}, sameNamespace: true };
      const from: Peer = { labels: test.labels, namespace: {}, sameNamespace: true };
      const needed = [port('config.metrics.port'), port('sidecar.port')];
      expect(allowed(objects, test, 'egress', to)).toEqual(expect.arrayContaining(needed));
      expect(allowed(objects, pod, 'ingress', from)).toEqual(expect.arrayContaining(needed));
    }
  });
});

/** All pods of the shards have the same policy: selectors.test.ts. */
function anyShard(objects: readonly KubernetesObject[]): PodMade {
  return shardPods(objects)[0]!;
}

/** TCP ports at which a talk is allowed, of all that some rule or this test names. */
function allowed(
  objects: readonly KubernetesObject[],
  pod: PodMade,
  direction: 'ingress' | 'egress',
  peer: Peer,
): number[] {
  const policies = ofKind(objects, 'NetworkPolicy');
  const named = policies.flatMap(({ spec }) =>
    [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap(({ ports = [] }) =>
      ports.flatMap(({ port, endPort }) => [Number(port), Number(endPort ?? port)]),
    ),
  );
  const asked = new Set([...named.flatMap((port) => [port - 1, port, port + 1]), ...UNNAMED]);
  return sorted([...asked].filter((port) => policiesAllow(policies, pod.labels, { direction, peer, port })));
}

/** Which ports a configuration needs, by the key of the values that says where (`kafka` → `kafkaTo`). */
function portsWanted(values: Values): Record<'exchanges' | 'kafka' | 'registry' | 'redis', number[]> {
  const config = (path: string): Value | undefined => valueAt(values, `config.${path}`);
  const texts = (path: string): string[] => [config(path) ?? []].flat().map(String);
  const further = (path: string): number[] =>
    [valueAt(values, `networkPolicy.egress.${path}`) ?? []].flat().map(Number);
  const kafka = config('kafka.enabled') === true;
  const redis = config('redis.streams.enabled') === true || config('redis.pubsub.enabled') === true;
  const behindSentinels = config('redis.mode') === 'sentinel' ? [6379] : [];
  const endpoints = Object.entries(exchanges).flatMap(([name, { endpoints: own }]) => [
    ...Object.values(own),
    ...texts(`exchanges.${name}.endpoints.websocket`),
    ...texts(`exchanges.${name}.endpoints.rest`),
  ]);
  return {
    exchanges: sorted([...EXCHANGE_PORTS, ...endpoints.map(portOf)]),
    kafka: kafka ? sorted([...texts('kafka.brokers').map(portOf), ...further('kafkaPorts')]) : [],
    registry: sorted(texts('registry.url').map(portOf)),
    redis: redis
      ? sorted([...texts('redis.addresses').map(portOf), ...further('redisPorts'), ...behindSentinels])
      : [],
  };
}

/** The port of `host:port` or of an address. */
function portOf(address: string): number {
  const url = new URL(address.includes('://') ? address : `tcp://${address}`);
  if (url.port !== '') return Number(url.port);
  return ['https:', 'wss:', 'rediss:'].includes(url.protocol) ? 443 : 80;
}

/** One talker for each peer of a rule that names pods or a block. */
function peersOf(rules: Value | undefined): Peer[] {
  return ((rules ?? []) as unknown as PeerRule[]).map(({ podSelector, namespaceSelector, ipBlock }) =>
    ipBlock === undefined
      ? {
          labels: podSelector?.matchLabels ?? {},
          namespace: namespaceSelector?.matchLabels ?? {},
          sameNamespace: namespaceSelector === undefined,
        }
      : { address: ipBlock.cidr.split('/')[0]! },
  );
}

interface PeerRule {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
  readonly ipBlock?: { readonly cidr: string };
}

function sorted(ports: readonly number[]): number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}
