import { BlockList, isIPv6 } from 'node:net';
import type { Labels, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './kubernetes-objects.ts';
import { selects } from './label-selector.ts';

/** Who speaks to a pod, or whom it speaks to. */
export type Peer =
  /** Outside the cluster, by its address. */
  | { readonly address: string }
  /** A pod; a policy without namespaceSelector means those of its own namespace. */
  | { readonly labels: Labels; readonly namespace: Labels; readonly sameNamespace: boolean };

export interface Talk {
  readonly direction: 'ingress' | 'egress';
  readonly peer: Peer;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

/**
 * Whether the policies of a namespace let a pod have this talk (Kubernetes documentation, "Network Policies"):
 * all is allowed as long as no policy of the direction selects the pod, and then only what one of them allows.
 * @param namedPorts the pod's own ports, which an ingress rule may name
 */
export function policiesAllow(
  policies: readonly NetworkPolicy[],
  pod: Labels,
  talk: Talk,
  namedPorts: Readonly<Record<string, number>> = {},
): boolean {
  const type = talk.direction === 'ingress' ? 'Ingress' : 'Egress';
  const meant = policies.filter(({ spec }) => selects(spec.podSelector, pod) && typesOf(spec).includes(type));
  if (meant.length === 0) return true;
  return meant.some(({ spec }) => {
    const rules =
      talk.direction === 'ingress'
        ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    return rules.some(
      ({ peers = [], ports = [] }) =>
        (peers.length === 0 || peers.some((peer) => isPeer(peer, talk.peer))) &&
        (ports.length === 0 || ports.some((port) => isPort(port, talk, namedPorts))),
    );
  });
}

/** What a policy is about where it does not say so: always ingress, and egress when it has rules for it. */
function typesOf({ policyTypes, egress }: NetworkPolicy['spec']): readonly string[] {
  return policyTypes ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
}

function isPeer(rule: NetworkPolicyPeer, peer: Peer): boolean {
  if ('address' in peer) {
    const { ipBlock } = rule;
    if (ipBlock === undefined) return false;
    return isWithin(peer.address, [ipBlock.cidr]) && !isWithin(peer.address, ipBlock.except ?? []);
  }
  if (rule.ipBlock !== undefined) return false;
  const inNamespace =
    rule.namespaceSelector === undefined
      ? peer.sameNamespace
      : selects(rule.namespaceSelector, peer.namespace);
  return inNamespace && selects(rule.podSelector ?? {}, peer.labels);
}

/** A block takes addresses of its own family only, whereas Node's lists take IPv4 for a part of IPv6. */
function isWithin(address: string, cidrs: readonly string[]): boolean {
  const family = familyOf(address);
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [net, prefix] = cidr.split('/') as [string, string];
    if (familyOf(net) === family) list.addSubnet(net, Number(prefix), family);
  }
  return list.check(address, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function isPort(rule: NetworkPolicyPort, talk: Talk, namedPorts: Readonly<Record<string, number>>): boolean {
  if ((rule.protocol ?? 'TCP') !== (talk.protocol ?? 'TCP')) return false;
  if (rule.port === undefined) return true;
  const first = typeof rule.port === 'string' ? namedPorts[rule.port] : rule.port;
  if (first === undefined) return false;
  return talk.port >= first && talk.port <= (rule.endPort ?? first);
}
