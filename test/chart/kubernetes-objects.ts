import { parseAllDocuments } from 'yaml';

/** The parts of Kubernetes' objects that the chart's tests look at. Whether an object is one of these is the schemas' business. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

export interface SecurityContext {
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly procMount?: string;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
  readonly appArmorProfile?: { readonly type: string };
  readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string };
  readonly windowsOptions?: { readonly hostProcess?: boolean };
}

export interface PodSecurityContext
  extends Omit<SecurityContext, 'allowPrivilegeEscalation' | 'privileged' | 'capabilities'> {
  readonly sysctls?: readonly { readonly name: string; readonly value: string }[];
  readonly fsGroup?: number;
}

export interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string; readonly containerName?: string };
  };
}

interface Handler {
  readonly httpGet?: HttpGet;
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  readonly exec?: { readonly command: readonly string[] };
}

export interface HttpGet {
  readonly path?: string;
  readonly port: number | string;
  readonly host?: string;
  readonly scheme?: string;
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
}

/** Defaults of absent numbers: Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes". */
export interface Probe extends Handler {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

export const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
export type ProbeName = (typeof PROBES)[number];

export interface Container extends Readonly<Partial<Record<ProbeName, Probe>>> {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly envFrom?: readonly {
    readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly protocol?: string;
  }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string | number>>;
    readonly limits?: Readonly<Record<string, string | number>>;
  };
  readonly lifecycle?: { readonly preStop?: Handler; readonly postStart?: Handler };
  readonly restartPolicy?: string;
  readonly securityContext?: SecurityContext;
}

interface KeyItem {
  readonly key: string;
  readonly path: string;
}

export interface Volume {
  readonly name: string;
  readonly configMap?: {
    readonly name: string;
    readonly items?: readonly KeyItem[];
    readonly optional?: boolean;
  };
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly KeyItem[];
    readonly optional?: boolean;
  };
  readonly projected?: {
    readonly sources: readonly {
      readonly configMap?: { readonly name: string; readonly items?: readonly KeyItem[] };
      readonly secret?: { readonly name: string; readonly items?: readonly KeyItem[] };
    }[];
  };
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  readonly [source: string]: unknown;
}

interface PodAffinityTerm {
  readonly topologyKey: string;
  readonly labelSelector?: LabelSelector;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: PodSecurityContext;
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly restartPolicy?: string;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly affinity?: {
    readonly podAntiAffinity?: {
      readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
        readonly podAffinityTerm: PodAffinityTerm;
      }[];
      readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
    };
  };
  readonly topologySpreadConstraints?: readonly {
    readonly maxSkew: number;
    readonly topologyKey: string;
    readonly labelSelector?: LabelSelector;
    readonly matchLabelKeys?: readonly string[];
  }[];
}

interface PodTemplate {
  readonly metadata: Omit<Metadata, 'name'>;
  readonly spec: PodSpec;
}

export interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly serviceName?: string;
    readonly strategy?: {
      readonly type?: string;
      readonly rollingUpdate?: {
        readonly maxSurge?: number | string;
        readonly maxUnavailable?: number | string;
      };
    };
    readonly updateStrategy?: { readonly type?: string };
    readonly podManagementPolicy?: string;
  };
}

export interface Job extends KubernetesObject {
  readonly spec: { readonly template: PodTemplate; readonly backoffLimit?: number };
}

export interface BarePod extends KubernetesObject {
  readonly spec: PodSpec;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly selector?: Labels;
    readonly type?: string;
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly ports: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
      readonly protocol?: string;
      readonly nodePort?: number;
    }[];
  };
}

export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly maxUnavailable?: number | string;
    readonly minAvailable?: number | string;
    readonly unhealthyPodEvictionPolicy?: string;
  };
}

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPolicyPort {
  readonly port?: number | string;
  readonly endPort?: number;
  readonly protocol?: string;
}

export interface NetworkPolicy extends KubernetesObject {
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly {
      readonly from?: readonly NetworkPolicyPeer[];
      readonly ports?: readonly NetworkPolicyPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly NetworkPolicyPeer[];
      readonly ports?: readonly NetworkPolicyPort[];
    }[];
  };
}

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** One of the Prometheus operator's, `monitoring.coreos.com/v1`. */
export interface Monitor extends KubernetesObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly namespaceSelector?: { readonly matchNames?: readonly string[]; readonly any?: boolean };
    readonly podMetricsEndpoints?: readonly MonitorEndpoint[];
    readonly endpoints?: readonly MonitorEndpoint[];
  };
}

interface MonitorEndpoint {
  readonly port?: string;
  readonly path?: string;
  readonly scheme?: string;
  readonly interval?: string;
  readonly [setting: string]: unknown;
}

interface Kinds {
  readonly Deployment: Workload;
  readonly StatefulSet: Workload;
  readonly Job: Job;
  readonly Pod: BarePod;
  readonly Service: Service;
  readonly PodDisruptionBudget: PodDisruptionBudget;
  readonly NetworkPolicy: NetworkPolicy;
  readonly ConfigMap: ConfigMap;
  readonly Secret: ConfigMap;
  readonly ServiceAccount: KubernetesObject & { readonly automountServiceAccountToken?: boolean };
  readonly PodMonitor: Monitor;
  readonly ServiceMonitor: Monitor;
}

/** A pod as some object of the chart makes it. */
export interface PodMade {
  /** `Deployment/demo-shard-0`. */
  readonly by: string;
  readonly object: KubernetesObject;
  /** Those of the template, and those that a StatefulSet's controller adds. */
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** The documents of a rendered chart, without the empty ones. @throws Error when one is no YAML, or no object of Kubernetes */
export function readObjects(text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (!('errors' in document)) return [];
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object: unknown = document.toJS();
    if (object === null) return [];
    if (!isObject(object)) {
      throw new Error(`a rendered document is no object of Kubernetes: ${JSON.stringify(object)}`);
    }
    return [object];
  });
}

function isObject(value: unknown): value is KubernetesObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['apiVersion', 'kind', 'metadata'].every((field) => field in value)
  );
}

/** The objects of one kind. */
export function ofKind<K extends keyof Kinds>(objects: readonly KubernetesObject[], kind: K): Kinds[K][] {
  return objects.filter((object): object is Kinds[K] => object.kind === kind);
}

/** `Service/demo-pods`. */
export function nameOf(object: KubernetesObject): string {
  return `${object.kind}/${object.metadata.name}`;
}

/** What helm runs at certain moments (`pre-install,pre-upgrade`, `test`), null for what it installs. */
export function hookOf(object: KubernetesObject): string | null {
  return object.metadata.annotations?.['helm.sh/hook'] ?? null;
}

/** The Deployments or StatefulSets: one for each shard. */
export function workloads(objects: readonly KubernetesObject[]): Workload[] {
  return [...ofKind(objects, 'Deployment'), ...ofKind(objects, 'StatefulSet')];
}

/** Every pod that the objects make: of a StatefulSet all replicas, of the others the one of their template. */
export function podsMade(objects: readonly KubernetesObject[]): PodMade[] {
  return [
    ...[...ofKind(objects, 'Deployment'), ...ofKind(objects, 'Job')].map((object) => ofTemplate(object)),
    ...ofKind(objects, 'StatefulSet').flatMap((object) =>
      Array.from({ length: object.spec.replicas ?? 1 }, (_, index) => {
        const labels = {
          'statefulset.kubernetes.io/pod-name': `${object.metadata.name}-${index}`,
          // Kubernetes documentation, "StatefulSets", "Pod index label": on by default since 1.28.
          'apps.kubernetes.io/pod-index': String(index),
        };
        return ofTemplate(object, labels);
      }),
    ),
    ...ofKind(objects, 'Pod').map((object) => ({
      by: nameOf(object),
      object,
      labels: object.metadata.labels ?? {},
      annotations: object.metadata.annotations ?? {},
      spec: object.spec,
    })),
  ];
}

function ofTemplate(object: Workload | Job, added: Labels = {}): PodMade {
  const { metadata, spec } = object.spec.template;
  const { labels, annotations = {} } = metadata;
  return { by: nameOf(object), object, labels: { ...labels, ...added }, annotations, spec };
}

/** The pods of the shards: all but those of hooks. */
export function shardPods(objects: readonly KubernetesObject[]): PodMade[] {
  return podsMade(objects).filter(({ object }) => hookOf(object) === null);
}

/** Which shard a pod is, by the labels that the chart and its controllers give it. */
export function shardOf({ by, labels }: PodMade): number {
  const label = labels['tickline.io/shard'] ?? labels['apps.kubernetes.io/pod-index'];
  if (label === undefined) throw new Error(`a pod of ${by} does not say which shard it is`);
  return Number(label);
}

/** Init containers and containers of a pod, in the order in which they start. */
export function containersOf(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
