import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { makeAuthority } from '../../scripts/tls/certificates.ts';
import { checkCommand } from '../../services/ingestor/src/commands/check.ts';
import { loadSections, readCommandLine } from '../../services/ingestor/src/config.ts';
import { environmentOf } from './container-environment.ts';
import { writeContainerFiles } from './container-files.ts';
import { NAMESPACE } from './helm.ts';
import {
  type Container,
  containersOf,
  type KubernetesObject,
  type PodMade,
  podsMade,
  shardPods,
} from './kubernetes-objects.ts';
import type { MountedFile } from './mounted-files.ts';
import { ciNames, renderCi } from './rendered.ts';

mkdirSync(ticklineFolder, { recursive: true });
const folder = mkdtempSync(join(ticklineFolder, 'chart-configuration-'));
/** What stands in every Secret that is no certificate. */
const SECRET = 'planted-secret-of-a-test';
let certificate: string;
let privateKey: string;

beforeAll(async () => {
  const { ca, caKey } = await makeAuthority(folder, 'any');
  certificate = readFileSync(ca, 'utf8');
  privateKey = readFileSync(caKey, 'utf8');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** By the name that the chart gives to the file: `kafka-ca`, `grpc-clientCa`, `redis-key`. */
function contentOf({ path }: MountedFile): string {
  if (/-(ca|cert|clientCa)$/.test(path)) return certificate;
  return path.endsWith('-key') ? privateKey : SECRET;
}

/** Makes the files of a container and returns its environment. */
function enter(
  pod: PodMade,
  container: Container,
  objects: readonly KubernetesObject[],
): Record<string, string> {
  const root = mkdtempSync(join(folder, 'container-'));
  const { inRoot } = writeContainerFiles(pod.spec, container, objects, root, contentOf);
  const references = containersOf(pod.spec).flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
  );
  const secrets = Object.fromEntries(
    references.map(({ name }) => [
      name,
      Object.fromEntries(references.filter((each) => each.name === name).map(({ key }) => [key, SECRET])),
    ]),
  );
  const around = { objects, secrets, podName: 'pod', namespace: NAMESPACE, podIp: '10.0.0.1' };
  return Object.fromEntries(
    Object.entries(environmentOf(pod, container, around)).map(([name, value]) => [name, inRoot(value)]),
  );
}

/** `tickline-ingestor check` in an environment: its exit code and what it wrote. */
async function check(env: Record<string, string>): Promise<{ code: number; output: string }> {
  let output = '';
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      output += chunk.toString();
      done();
    },
  });
  const { signal } = new AbortController();
  const code = await checkCommand(['--offline'], { env, stdout: sink, stderr: sink, signal });
  return { code, output };
}

function containerOf(pod: PodMade, name: string): Container {
  const found = pod.spec.containers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`${pod.by} has no container ${name}`);
  return found;
}

describe.each(ciNames)('the configuration with ci/%s-values.yaml', (name) => {
  it('is valid for the ingestor of every shard', async () => {
    const { objects } = await renderCi(name);
    for (const pod of shardPods(objects)) {
      const { code, output } = await check(enter(pod, containerOf(pod, 'ingestor'), objects));
      expect([pod.by, code, output]).toEqual([
        pod.by,
        0,
        expect.stringContaining('the configuration is valid'),
      ]);
      expect(output).not.toContain(SECRET);
    }
  });

  it('listens where probes and scraping come from, and drains within the grace period', async () => {
    const { objects } = await renderCi(name);
    // All shards have one ConfigMap, and containers that differ in the index alone.
    const [pod] = shardPods(objects) as [PodMade];
    const container = containerOf(pod, 'ingestor');
    const { status, metrics, grpc, drainBudgetMs } = loadSections(
      readCommandLine([]),
      enter(pod, container, objects),
      ['status', 'metrics', 'grpc', 'drainBudgetMs'],
    );
    expect(['127.0.0.1', '::1']).toContain(status.host);
    expect(['0.0.0.0', '::']).toContain(metrics.host);
    if (grpc.enabled) expect(['0.0.0.0', '::']).toContain(grpc.host);
    const ports = Object.fromEntries((container.ports ?? []).map((port) => [port.name, port.containerPort]));
    expect(ports).toEqual({ metrics: metrics.port, ...(grpc.enabled ? { grpc: grpc.port } : {}) });
    expect((pod.spec.terminationGracePeriodSeconds ?? 0) * 1000).toBeGreaterThan(drainBudgetMs);
  });

  it('is valid for the Job that makes topics and schemas', async () => {
    const { objects } = await renderCi(name);
    for (const pod of podsMade(objects).filter(({ object }) => object.kind === 'Job')) {
      const env = enter(pod, containerOf(pod, 'provision'), objects);
      // The sections that `provision` loads.
      const { kafka } = loadSections(readCommandLine([]), env, ['kafka', 'topics', 'registry']);
      expect(kafka.brokers).not.toEqual([]);
    }
  });
});
