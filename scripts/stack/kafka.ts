import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaClassPath } from './install.ts';
import { javaCommand } from './java.ts';
import { runTool } from './run-tool.ts';

/** Where a broker listens on 127.0.0.1. */
export interface BrokerPorts {
  readonly client: number;
  readonly controller: number;
}

/**
 * Settings of every local broker, whether it runs from jars or in a container: what makes a small cluster
 * start fast, and nothing that changes what a client sees, but that topics are never created by accident.
 */
export function commonSettings(brokers: number): Record<string, string> {
  const replicas = String(brokers);
  const inSync = brokers === 1 ? '1' : '2';
  return {
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '3',
    'group.initial.rebalance.delay.ms': '0',
    // A killed broker may register again only when its former session has run out (9 s by default).
    'broker.session.timeout.ms': '6000',
    // The cleaner takes 128 MB of heap by default, for topics far larger than ours.
    'log.cleaner.dedupe.buffer.size': '16777216',
  };
}

/** The whole configuration of broker `nodeId` (1 …) of a cluster from jars; `extra` wins. */
export function brokerProperties(
  nodeId: number,
  ports: readonly BrokerPorts[],
  logDirs: string,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = ports[nodeId - 1];
  if (own === undefined) throw new Error(`broker ${nodeId} has no ports`);
  return {
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    'controller.quorum.voters': ports.map((p, i) => `${i + 1}@127.0.0.1:${p.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${own.client},CONTROLLER://127.0.0.1:${own.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${own.client}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDirs,
    ...commonSettings(ports.length),
    ...extra,
  };
}

/** A user who logs in by SCRAM. */
export interface ScramUser {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly name: string;
  /** Without quotes and brackets: Kafka's tool takes it apart. */
  readonly password: string;
}

/** Writes a broker's configuration into its folder and formats its data folder, with these users, unless it is. */
export async function prepareBroker(
  folder: string,
  clusterId: string,
  properties: Readonly<Record<string, string>>,
  users: readonly ScramUser[] = [],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const text = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(folder, 'server.properties'), text.join(''));
  if (existsSync(join(properties['log.dirs'] ?? '', 'meta.properties'))) return;
  await runTool(
    javaCommand(),
    [
      ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dlog4j2.level=ERROR', '-cp', kafkaClassPath],
      ...['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', join(folder, 'server.properties')],
      ...users.flatMap(({ mechanism, name, password }) => [
        '--add-scram',
        `${mechanism}=[name="${name}",password="${password}"]`,
      ]),
    ],
    { cwd: folder },
  );
}

/** The arguments of `java` that run a broker from its folder. */
export function brokerArguments(folder: string, heapMb: number): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
    '-cp',
    kafkaClassPath,
    'kafka.Kafka',
    join(folder, 'server.properties'),
  ];
}

/** The cluster id kept in a folder, made at the first call: 16 random bytes in base64url, as Kafka makes them. */
export function clusterIdIn(folder: string): string {
  const file = join(folder, 'cluster-id');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    // Kafka's tools would take a leading dash for an option.
    writeFileSync(file, randomBytes(16).toString('base64url').replace(/^-/, 'A'));
  }
  return readFileSync(file, 'utf8');
}

/** The node ids that the broker at this address (host:port) knows to be alive; throws when it does not answer. */
export async function aliveBrokers(address: string): Promise<number[]> {
  const admin = new Kafka({
    clientId: 'tickline-stack',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 3000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.map((broker) => broker.nodeId);
  } finally {
    await admin.disconnect();
  }
}
