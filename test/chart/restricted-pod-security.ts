import {
  type Container,
  containersOf,
  type PodSpec,
  PROBES,
  type SecurityContext,
} from './kubernetes-objects.ts';

/** Kubernetes documentation, "Pod Security Standards", Restricted, "Volume Types". */
const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/** The same page, Baseline, "Sysctls": those allowed by the oldest version that we support, 1.29. */
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_syncookies',
]);

const SELINUX_TYPES = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);
const SECCOMP = new Set(['RuntimeDefault', 'Localhost']);

/**
 * What the profile "Restricted" of Kubernetes' Pod Security Standards (which holds Baseline's rules, too) forbids in
 * a pod of Linux: a sentence for each breach, none when the pod is admitted. Annotations of AppArmor and seccomp,
 * which fields replaced, are no part of it.
 */
export function restrictedBreaches(spec: PodSpec): string[] {
  const pod = spec.securityContext ?? {};
  const breaches: string[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[field] === true) breaches.push(`${field} is true`);
  }
  for (const { name } of pod.sysctls ?? []) {
    if (!SYSCTLS.has(name)) breaches.push(`sysctl ${name} is set`);
  }
  for (const { name, ...source } of spec.volumes ?? []) {
    const types = Object.keys(source);
    const other = types.filter((type) => !VOLUMES.has(type));
    if (other.length > 0 || types.length === 0) {
      breaches.push(`volume ${name} is a ${other[0] ?? 'volume of no type'}`);
    }
  }
  breaches.push(...sharedBreaches('the pod', pod));
  for (const container of containersOf(spec)) breaches.push(...containerBreaches(container, pod));
  return breaches;
}

/** What may be said for the pod and for a container alike. */
function sharedBreaches(who: string, context: SecurityContext): string[] {
  const { runAsNonRoot, runAsUser, seccompProfile, appArmorProfile, seLinuxOptions, windowsOptions } =
    context;
  const breaches: string[] = [];
  if (windowsOptions?.hostProcess === true) breaches.push(`${who} is a hostProcess`);
  if (runAsNonRoot === false) breaches.push(`runAsNonRoot of ${who} is false`);
  if (runAsUser === 0) breaches.push(`runAsUser of ${who} is 0`);
  if (seccompProfile !== undefined && !SECCOMP.has(seccompProfile.type)) {
    breaches.push(`seccompProfile of ${who} is ${seccompProfile.type}`);
  }
  if (appArmorProfile !== undefined && !SECCOMP.has(appArmorProfile.type)) {
    breaches.push(`appArmorProfile of ${who} is ${appArmorProfile.type}`);
  }
  if (!SELINUX_TYPES.has(seLinuxOptions?.type ?? '')) breaches.push(`seLinuxOptions.type of ${who} is set`);
  for (const field of ['user', 'role'] as const) {
    if ((seLinuxOptions?.[field] ?? '') !== '') breaches.push(`seLinuxOptions.${field} of ${who} is set`);
  }
  return breaches;
}

function containerBreaches(container: Container, pod: SecurityContext): string[] {
  const { name, securityContext: own = {}, ports = [], lifecycle = {} } = container;
  const who = `container ${name}`;
  const breaches = sharedBreaches(who, own);
  if (own.privileged === true) breaches.push(`${who} is privileged`);
  if (own.allowPrivilegeEscalation !== false) {
    breaches.push(`allowPrivilegeEscalation of ${who} is not false`);
  }
  if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true) breaches.push(`runAsNonRoot of ${who} is not true`);
  if ((own.seccompProfile ?? pod.seccompProfile) === undefined) {
    breaches.push(`seccompProfile of ${who} is not set`);
  }
  if (own.capabilities?.drop?.includes('ALL') !== true)
    breaches.push(`${who} does not drop ALL capabilities`);
  for (const added of own.capabilities?.add ?? []) {
    if (added !== 'NET_BIND_SERVICE') breaches.push(`${who} adds the capability ${added}`);
  }
  if (!['Default', undefined].includes(own.procMount))
    breaches.push(`procMount of ${who} is ${own.procMount}`);
  for (const { hostPort = 0 } of ports) if (hostPort !== 0) breaches.push(`${who} has hostPort ${hostPort}`);
  // "Host Probes / Lifecycle Hooks", since 1.34.
  const handlers = [
    ...PROBES.map((probe) => [probe, container[probe]] as const),
    ...Object.entries(lifecycle),
  ];
  for (const [what, handler] of handlers) {
    if ((handler?.httpGet?.host ?? handler?.tcpSocket?.host ?? '') !== '') {
      breaches.push(`${what} of ${who} names a host`);
    }
  }
  return breaches;
}
