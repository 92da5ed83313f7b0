import { marketPorts } from '../../test/cluster/exchange-ports.ts';
import { commonSettings } from '../stack/kafka.ts';

/** The pods and Services of the test stack. */
export const stackNames = { kafka: 'kafka', registry: 'registry', exchanges: 'exchanges' } as const;

/** How pods of the cluster, in whatever namespace, find the test stack of one. */
export class StackAddresses {
  readonly registryHost: string;
  readonly exchangesHost: string;
  /** Kafka's. */
  readonly broker: string;
  /** The registry's Confluent API. */
  readonly registryUrl: string;

  constructor(namespace: string) {
    this.registryHost = `${stackNames.registry}.${namespace}.svc`;
    this.exchangesHost = `${stackNames.exchanges}.${namespace}.svc`;
    this.broker = `${stackNames.kafka}.${namespace}.svc:9092`;
    this.registryUrl = `http://${this.registryHost}:8080/apis/ccompat/v7`;
  }
}

const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const serverProperties = '/etc/kafka/server.properties';

/** What the level "restricted" of pod security asks of a pod (Kubernetes docs, "Pod Security Standards"), and more. */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 10001,
  runAsGroup: 10001,
  fsGroup: 10001,
  seccompProfile: { type: 'RuntimeDefault' },
};
/** The same of a container. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

interface Server {
  readonly name: string;
  readonly ports: readonly number[];
  readonly command: readonly string[];
  /** Run before it, to its end. */
  readonly prepare?: readonly string[];
  readonly memory: string;
  readonly readiness: object;
  /** Mounted below `/etc`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Kafka, the schema registry and the simulated exchanges, each a pod with a Service, all of one image. */
export function stackObjects(image: string, rate: number, addresses: StackAddresses): object[] {
  return [kafka(addresses), registry(), exchanges(rate)].flatMap((server) => objectsOf(server, image));
}

function kafka({ broker }: StackAddresses): Server {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:9093',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093',
    'advertised.listeners': `PLAINTEXT://${broker}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': '/data/kafka',
    ...commonSettings(1),
  };
  const classPath = ['-cp', '/stack/kafka/*'];
  return {
    name: stackNames.kafka,
    ports: [9092],
    // The cluster's id: 16 bytes in base64url; the data does not outlive the pod.
    prepare: [
      ...['java', ...java, '-Dlog4j2.level=ERROR', ...classPath],
      ...['kafka.tools.StorageTool', 'format', '-t', 'dGlja2xpbmUtdGVzdC0wMQ', '-c', serverProperties],
    ],
    command: [
      ...['java', '-Xmx512m', ...java, '-Dlog4j2.configurationFile=/stack/kafka/log4j2.properties'],
      ...[...classPath, 'kafka.Kafka', serverProperties],
    ],
    memory: '1Gi',
    readiness: { tcpSocket: { port: 9092 } },
    files: {
      'server.properties': Object.entries(properties)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    },
  };
}

function registry(): Server {
  return {
    name: stackNames.registry,
    ports: [8080],
    command: [
      ...['java', '-Xmx384m', ...java, '-Dquarkus.http.host=0.0.0.0', '-Dquarkus.http.port=8080'],
      ...[
        '-Dquarkus.http.access-log.enabled=false',
        '-jar',
        '/stack/registry/apicurio-registry-app-runner.jar',
      ],
    ],
    memory: '768Mi',
    readiness: { httpGet: { path: '/apis/ccompat/v7/subjects', port: 8080 } },
  };
}

function exchanges(rate: number): Server {
  const ports = Object.values(marketPorts);
  return {
    name: stackNames.exchanges,
    ports,
    command: ['node', 'test/cluster/exchanges.ts', `--rate=${rate}`],
    memory: '768Mi',
    // The last of them.
    readiness: { tcpSocket: { port: ports.at(-1) } },
  };
}

function objectsOf(
  { name, ports, command, prepare, memory, readiness, files }: Server,
  image: string,
): object[] {
  const labels = { 'app.kubernetes.io/name': 'tickline-test-stack', 'app.kubernetes.io/component': name };
  const container = {
    image,
    imagePullPolicy: 'IfNotPresent',
    securityContext: containerSecurity,
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'data', mountPath: '/tmp', subPath: 'tmp' },
      ...(files === undefined ? [] : [{ name: 'files', mountPath: `/etc/${name}`, readOnly: true }]),
    ],
    resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory } },
  };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity,
      terminationGracePeriodSeconds: 5,
      ...(prepare === undefined
        ? {}
        : { initContainers: [{ name: 'prepare', ...container, command: prepare }] }),
      containers: [
        {
          name,
          ...container,
          command,
          ports: ports.map((containerPort) => ({ containerPort })),
          readinessProbe: { ...readiness, periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 120 },
        },
      ],
      volumes: [
        { name: 'data', emptyDir: {} },
        ...(files === undefined ? [] : [{ name: 'files', configMap: { name } }]),
      ],
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ports: ports.map((port) => ({ name: `port-${port}`, port })) },
  };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: files };
  return [...(files === undefined ? [] : [configMap]), service, pod];
}
