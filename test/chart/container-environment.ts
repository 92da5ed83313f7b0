import {
  type Container,
  type KeyReference,
  type KubernetesObject,
  ofKind,
  type PodMade,
  type Service,
} from './kubernetes-objects.ts';

/** What a pod's environment refers to besides its own definition. */
export interface Surroundings {
  readonly objects: readonly KubernetesObject[];
  /** Contents of Secrets that are no part of the chart, by name and key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Name and namespace that the cluster gives to the pod. */
  readonly podName: string;
  readonly namespace: string;
  readonly podIp: string;
}

/**
 * The environment that the kubelet gives to a container: `envFrom`, then `env` in order, `$(NAME)` in its values
 * replaced by earlier ones (Kubernetes documentation, "Define Dependent Environment Variables").
 * @throws Error when something that it refers to is not there
 */
export function environmentOf(
  pod: PodMade,
  container: Container,
  around: Surroundings,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined)
      Object.assign(environment, dataOf('ConfigMap', configMapRef.name, around));
    if (secretRef !== undefined) Object.assign(environment, dataOf('Secret', secretRef.name, around));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) {
      environment[name] = expand(value ?? '', environment);
    } else if (valueFrom.fieldRef !== undefined) {
      environment[name] = fieldOf(pod, valueFrom.fieldRef.fieldPath, around);
    } else if (valueFrom.configMapKeyRef !== undefined) {
      environment[name] = keyOf('ConfigMap', valueFrom.configMapKeyRef, around);
    } else if (valueFrom.secretKeyRef !== undefined) {
      environment[name] = keyOf('Secret', valueFrom.secretKeyRef, around);
    } else {
      throw new Error(`where ${name} of container ${container.name} comes from is not known here`);
    }
  }
  return environment;
}

/** `$(NAME)` is replaced where NAME is known, `$$` is a dollar sign. */
function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (found, name: string | undefined) =>
    name === undefined ? '$' : (known[name] ?? found),
  );
}

function fieldOf(pod: PodMade, path: string, around: Surroundings): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  const value =
    path === 'metadata.name'
      ? around.podName
      : path === 'metadata.namespace'
        ? around.namespace
        : path === 'status.podIP'
          ? around.podIp
          : key === undefined
            ? undefined
            : (map === 'labels' ? pod.labels : pod.annotations)[key];
  if (value === undefined) throw new Error(`${pod.by} has no field ${path}`);
  return value;
}

function keyOf(kind: 'ConfigMap' | 'Secret', { name, key }: KeyReference, around: Surroundings): string {
  const value = dataOf(kind, name, around)[key];
  if (value === undefined) throw new Error(`${kind} ${name} has no ${key}`);
  return value;
}

function dataOf(
  kind: 'ConfigMap' | 'Secret',
  name: string,
  around: Surroundings,
): Readonly<Record<string, string>> {
  const own = ofKind(around.objects, kind).find(({ metadata }) => metadata.name === name)?.data;
  const data = own ?? (kind === 'Secret' ? around.secrets[name] : undefined);
  if (data === undefined) throw new Error(`there is no ${kind} ${name}`);
  return data;
}

/**
 * What the kubelet tells every container of the namespace about Services that have an address, unless the pod's
 * enableServiceLinks is false (Kubernetes documentation, "Service", "Environment variables").
 */
export function serviceLinks(services: readonly Service[]): Record<string, string> {
  const links: Record<string, string> = {};
  for (const { metadata, spec } of services) {
    if (spec.clusterIP === 'None') continue;
    const name = variableName(metadata.name);
    const address = '10.96.0.1';
    links[`${name}_SERVICE_HOST`] = address;
    for (const [index, { name: portName, port, protocol = 'TCP' }] of spec.ports.entries()) {
      if (index === 0) {
        links[`${name}_SERVICE_PORT`] = String(port);
        links[`${name}_PORT`] = `${protocol.toLowerCase()}://${address}:${port}`;
      }
      if (portName !== undefined) links[`${name}_SERVICE_PORT_${variableName(portName)}`] = String(port);
      const prefix = `${name}_PORT_${port}_${protocol}`;
      links[prefix] = `${protocol.toLowerCase()}://${address}:${port}`;
      links[`${prefix}_PROTO`] = protocol.toLowerCase();
      links[`${prefix}_PORT`] = String(port);
      links[`${prefix}_ADDR`] = address;
    }
  }
  return links;
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
