import { describe, expect, it } from 'vitest';
import type { NetworkPolicy } from './kubernetes-objects.ts';
import { policiesAllow, type Talk } from './network-policy-rules.ts';

const pod = { app: 'a' };
const policy = (spec: Partial<NetworkPolicy['spec']>): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'p' },
  spec: { podSelector: { matchLabels: pod }, ...spec },
});
const out: Talk = { direction: 'egress', peer: { address: '1.1.1.1' }, port: 443 };
const into: Talk = {
  direction: 'ingress',
  peer: { labels: { role: 'scraper' }, namespace: { name: 'monitoring' }, sameNamespace: false },
  port: 9464,
};
const near: Talk = {
  direction: 'egress',
  peer: { labels: { role: 'db' }, namespace: {}, sameNamespace: true },
  port: 6379,
};

describe('network policies', () => {
  it.each<[string, NetworkPolicy[], Talk, boolean]>([
    ['no policy', [], out, true],
    [
      'a policy for other pods',
      [policy({ podSelector: { matchLabels: { app: 'b' } }, egress: [] })],
      out,
      true,
    ],
    ['a policy of the other direction', [policy({ policyTypes: ['Ingress'] })], out, true],
    ['a policy without a word of its direction, with egress rules', [policy({ egress: [] })], into, false],
    ['a policy without a word of its direction or egress', [policy({})], out, true],
    ['nothing listed', [policy({ policyTypes: ['Egress'] })], out, false],
    ['an empty rule', [policy({ policyTypes: ['Egress'], egress: [{}] })], out, true],
    ['two policies, one of which allows', [policy({ egress: [] }), policy({ egress: [{}] })], out, true],
    ['the port', [policy({ egress: [{ ports: [{ port: 443 }] }] })], out, true],
    ['another port', [policy({ egress: [{ ports: [{ port: 8443 }] }] })], out, false],
    ['a range of ports', [policy({ egress: [{ ports: [{ port: 400, endPort: 500 }] }] })], out, true],
    [
      'a range that ends before',
      [policy({ egress: [{ ports: [{ port: 400, endPort: 442 }] }] })],
      out,
      false,
    ],
    [
      'the port of another protocol',
      [policy({ egress: [{ ports: [{ port: 443, protocol: 'UDP' }] }] })],
      out,
      false,
    ],
    ['any port of a protocol', [policy({ egress: [{ ports: [{ protocol: 'TCP' }] }] })], out, true],
    [
      'the block',
      [policy({ egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }] })],
      out,
      true,
    ],
    [
      'an excepted block',
      [policy({ egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['1.0.0.0/8'] } }] }] })],
      out,
      false,
    ],
    [
      'a block of the other family',
      [policy({ egress: [{ to: [{ ipBlock: { cidr: '::/0' } }] }] })],
      out,
      false,
    ],
    ['pods, for an address', [policy({ egress: [{ to: [{ podSelector: {} }] }] })], out, false],
    ['blocks, for a pod', [policy({ egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] })], near, false],
    [
      'pods of the namespace',
      [policy({ egress: [{ to: [{ podSelector: { matchLabels: { role: 'db' } } }] }] })],
      near,
      true,
    ],
    [
      'other pods of the namespace',
      [policy({ egress: [{ to: [{ podSelector: { matchLabels: { role: 'x' } } }] }] })],
      near,
      false,
    ],
    [
      'pods of the own namespace, for one of another',
      [policy({ ingress: [{ from: [{ podSelector: {} }] }] })],
      into,
      false,
    ],
    ['pods of all namespaces', [policy({ ingress: [{ from: [{ namespaceSelector: {} }] }] })], into, true],
    [
      'pods of named namespaces',
      [policy({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }] }] })],
      into,
      true,
    ],
    [
      'pods and namespace together',
      [
        policy({
          ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { role: 'x' } } }] }],
        }),
      ],
      into,
      false,
    ],
    ['a port by its name', [policy({ ingress: [{ ports: [{ port: 'metrics' }] }] })], into, true],
    [
      'a port by a name that the pod has not',
      [policy({ ingress: [{ ports: [{ port: 'grpc' }] }] })],
      into,
      false,
    ],
  ])('%s', (_, policies, talk, allowed) => {
    expect(policiesAllow(policies, pod, talk, { metrics: 9464 })).toBe(allowed);
  });
});
