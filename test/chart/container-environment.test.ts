import { describe, expect, it } from 'vitest';
import { environmentOf, serviceLinks } from './container-environment.ts';
import type { Container, EnvironmentVariable, PodMade, Service } from './kubernetes-objects.ts';

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: { LEVEL: 'info' },
};
const around = {
  objects: [configMap],
  secrets: { login: { password: 'hidden' } },
  podName: 'pod-1',
  namespace: 'here',
  podIp: '127.0.0.1',
};
const pod: PodMade = {
  by: 'Pod/pod-1',
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod-1' } },
  labels: { 'tickline.io/shard': '7' },
  annotations: {},
  spec: { containers: [] },
};
const container = (env: readonly EnvironmentVariable[], more: Partial<Container> = {}): Container => ({
  name: 'app',
  image: 'app',
  env,
  ...more,
});

describe("a container's environment", () => {
  it('takes values, fields and keys, and replaces earlier names in later values', () => {
    const env: EnvironmentVariable[] = [
      { name: 'SHARD', valueFrom: { fieldRef: { fieldPath: "metadata.labels['tickline.io/shard']" } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
      { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'LEVEL' } } },
      { name: 'URL', value: 'http://$(POD).$(NAMESPACE)/$(LATER)/$$(POD)' },
      { name: 'LATER', value: 'x' },
    ];
    expect(environmentOf(pod, container(env), around)).toEqual({
      SHARD: '7',
      POD: 'pod-1',
      NAMESPACE: 'here',
      IP: '127.0.0.1',
      PASSWORD: 'hidden',
      LEVEL: 'info',
      URL: 'http://pod-1.here/$(LATER)/$(POD)',
      LATER: 'x',
    });
  });

  it('takes all keys by envFrom, and env over them', () => {
    const envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'login' } }];
    expect(environmentOf(pod, container([{ name: 'LEVEL', value: 'debug' }], { envFrom }), around)).toEqual({
      LEVEL: 'debug',
      password: 'hidden',
    });
  });

  it.each<[string, EnvironmentVariable]>([
    ['there is no Secret other', { name: 'A', valueFrom: { secretKeyRef: { name: 'other', key: 'a' } } }],
    [
      'Secret login has no token',
      { name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'token' } } },
    ],
    [
      "has no field metadata.labels['absent']",
      { name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['absent']" } } },
    ],
    ['where A of container app comes from', { name: 'A', valueFrom: {} }],
  ])('refuses: %s', (message, variable) => {
    expect(() => environmentOf(pod, container([variable]), around)).toThrow(message);
  });
});

describe('service links', () => {
  it('are what the documentation of Kubernetes lists, and none for a headless Service', () => {
    const service = (name: string, spec: Partial<Service['spec']>): Service => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { ports: [{ name: 'page', port: 80 }], ...spec },
    });
    expect(serviceLinks([service('redis-primary', {}), service('pods', { clusterIP: 'None' })])).toEqual({
      REDIS_PRIMARY_SERVICE_HOST: '10.96.0.1',
      REDIS_PRIMARY_SERVICE_PORT: '80',
      REDIS_PRIMARY_SERVICE_PORT_PAGE: '80',
      REDIS_PRIMARY_PORT: 'tcp://10.96.0.1:80',
      REDIS_PRIMARY_PORT_80_TCP: 'tcp://10.96.0.1:80',
      REDIS_PRIMARY_PORT_80_TCP_PROTO: 'tcp',
      REDIS_PRIMARY_PORT_80_TCP_PORT: '80',
      REDIS_PRIMARY_PORT_80_TCP_ADDR: '10.96.0.1',
    });
  });
});
