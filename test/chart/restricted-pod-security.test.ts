import { describe, expect, it } from 'vitest';
import type { Container, PodSpec, SecurityContext } from './kubernetes-objects.ts';
import { restrictedBreaches } from './restricted-pod-security.ts';

const safe: SecurityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const container: Container = { name: 'app', image: 'app', securityContext: safe };
const pod: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [container],
};

const withPod = (change: Partial<PodSpec>): PodSpec => ({ ...pod, ...change });
const withContainer = (change: Partial<Container>): PodSpec =>
  withPod({ containers: [{ ...container, ...change }] });
const withContext = (change: SecurityContext): PodSpec =>
  withContainer({ securityContext: { ...safe, ...change } });

describe('the profile "Restricted"', () => {
  it.each<[string, PodSpec]>([
    ['the least that is asked for', pod],
    [
      'non-root and seccomp said by the container alone',
      {
        containers: [
          {
            ...container,
            securityContext: { ...safe, runAsNonRoot: true, seccompProfile: { type: 'Localhost' } },
          },
        ],
      },
    ],
    ['NET_BIND_SERVICE', withContext({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })],
    [
      'volumes without a host',
      withPod({
        volumes: [
          { name: 'a', configMap: { name: 'a' } },
          { name: 'b', emptyDir: {} },
        ],
      }),
    ],
    [
      'a safe sysctl',
      withPod({
        securityContext: {
          ...pod.securityContext,
          sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
        },
      }),
    ],
  ])('admits %s', (_, spec) => {
    expect(restrictedBreaches(spec)).toEqual([]);
  });

  it.each<[string, PodSpec]>([
    ['hostNetwork is true', withPod({ hostNetwork: true })],
    ['hostPID is true', withPod({ hostPID: true })],
    ['hostIPC is true', withPod({ hostIPC: true })],
    [
      'sysctl kernel.msgmax is set',
      withPod({
        securityContext: { ...pod.securityContext, sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
      }),
    ],
    ['volume v is a hostPath', withPod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] })],
    ['volume v is a volume of no type', withPod({ volumes: [{ name: 'v' }] })],
    [
      'runAsNonRoot of container app is not true',
      withPod({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
    ],
    [
      'runAsNonRoot of the pod is false',
      {
        ...withContext({ runAsNonRoot: true }),
        securityContext: { ...pod.securityContext, runAsNonRoot: false },
      },
    ],
    ['runAsUser of the pod is 0', withPod({ securityContext: { ...pod.securityContext, runAsUser: 0 } })],
    ['runAsUser of container app is 0', withContext({ runAsUser: 0 })],
    ['seccompProfile of container app is not set', withPod({ securityContext: { runAsNonRoot: true } })],
    [
      'seccompProfile of container app is Unconfined',
      withContext({ seccompProfile: { type: 'Unconfined' } }),
    ],
    [
      'appArmorProfile of container app is Unconfined',
      withContext({ appArmorProfile: { type: 'Unconfined' } }),
    ],
    ['seLinuxOptions.type of container app is set', withContext({ seLinuxOptions: { type: 'spc_t' } })],
    ['seLinuxOptions.user of container app is set', withContext({ seLinuxOptions: { user: 'system_u' } })],
    ['seLinuxOptions.role of container app is set', withContext({ seLinuxOptions: { role: 'system_r' } })],
    ['container app is a hostProcess', withContext({ windowsOptions: { hostProcess: true } })],
    ['container app is privileged', withContext({ privileged: true })],
    [
      'allowPrivilegeEscalation of container app is not false',
      withContext({ allowPrivilegeEscalation: true }),
    ],
    ['container app does not drop ALL capabilities', withContext({ capabilities: { drop: ['CHOWN'] } })],
    [
      'container app adds the capability SYS_TIME',
      withContext({ capabilities: { drop: ['ALL'], add: ['SYS_TIME'] } }),
    ],
    ['procMount of container app is Unmasked', withContext({ procMount: 'Unmasked' })],
    ['container app has hostPort 80', withContainer({ ports: [{ containerPort: 80, hostPort: 80 }] })],
    [
      'livenessProbe of container app names a host',
      withContainer({ livenessProbe: { httpGet: { port: 80, host: 'example' } } }),
    ],
    [
      'preStop of container app names a host',
      withContainer({ lifecycle: { preStop: { tcpSocket: { port: 80, host: 'example' } } } }),
    ],
  ])('refuses: %s', (breach, spec) => {
    expect(restrictedBreaches(spec)).toEqual([breach]);
  });

  it('looks at init containers, too, and at a container that says nothing', () => {
    const bare = { name: 'bare', image: 'bare' };
    expect(restrictedBreaches(withPod({ initContainers: [bare] }))).toEqual([
      'allowPrivilegeEscalation of container bare is not false',
      'container bare does not drop ALL capabilities',
    ]);
  });
});
