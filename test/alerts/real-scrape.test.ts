import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagedProcess, startNode } from '../../scripts/processes/managed-process.ts';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { freePort } from '../../scripts/stack/free-port.ts';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { stubOf } from '../../services/ingestor/src/sinks/grpc/testing/stream-reader.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { checkMetrics } from '../integration/promtool.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { startSimulators } from '../support/simulators.ts';
import { readExposition, type ScrapedMetric } from './exposition.ts';
import { dashboardExpressions } from './grafana-expressions.ts';
import { metricsReference } from './metrics-reference.ts';
import { namesIn } from './promql-names.ts';
import { alertsOf, renderRules } from './rendered-rules.ts';

/** Labels that the chart's monitors give every target, and those that Prometheus gives alerts and histograms. */
const OF_PROMETHEUS = ['namespace', 'release', 'pod', 'le', 'alertname', 'alertstate'];
/** What Prometheus itself makes of the rules. */
const BY_PROMETHEUS = ['ALERTS'];

let folder: string;
let stack: Stack;
let redis: RedisServer;
let simulators: Simulator[] = [];
let pod: Pod | undefined;
let sidecar: ManagedProcess | undefined;
let ingestorText: string;
let sidecarText: string;
let ingestor: readonly ScrapedMetric[];
let sidecars: readonly ScrapedMetric[];

async function read(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

/** A call without its token: so that an error of a sink is counted. */
async function refusedCall(address: string): Promise<void> {
  const stub = stubOf(address);
  await new Promise((resolve) =>
    stub.getStatus({}, new Metadata(), { deadline: Date.now() + 20_000 }, resolve),
  );
  stub.close();
}

// Everything that has a metric, and something of all that is counted: an error, a reconnect, a peer.
beforeAll(async () => {
  mkdirSync(join(repositoryRoot, '.tickline'), { recursive: true });
  folder = mkdtempSync(join(repositoryRoot, '.tickline', 'real-scrape-'));
  [stack, redis] = await Promise.all([startStack(), startRedis()]);
  simulators = await startSimulators({ symbols: 5, rate: 400 });
  const grpcPort = await freePort();
  const token = join(folder, 'token');
  writeFileSync(token, 'a-token-of-this-test\n');
  const options: PodOptions = {
    stack,
    simulators,
    flags: [
      `--redis.addresses=${redis.address}`,
      '--redis.streams.enabled=true',
      '--redis.pubsub.enabled=true',
      '--grpc.enabled=true',
      `--grpc.port=${grpcPort}`,
      `--grpc.tokenFile=${token}`,
    ],
  };
  await provision(options);
  pod = await startPod(options);
  const logFile = join(folder, 'sidecar.log');
  sidecar = startNode(
    'sidecar',
    [
      'services/sidecar/src/main.ts',
      'run',
      `--ingestor.url=${pod.statusUrl}/status`,
      '--ingestor.pollMs=50',
      '--listen.port=0',
      `--peers.addresses=127.0.0.1:${await freePort()}`,
    ],
    logFile,
    new AbortController().signal,
  );
  const sidecarUrl = await sidecar.line(
    (line) => (line.event === 'listening' ? (line.data as { url: string }).url : undefined),
    'listens',
    30_000,
  );
  await pod.until('all subscriptions are settled', ({ ready }) => ready);
  simulators[0]!.fault({ kind: 'drop' });
  await refusedCall(`127.0.0.1:${grpcPort}`);
  [ingestorText, sidecarText] = await eventually('every metric to have a sample', async () => {
    const texts = await Promise.all([read(pod!.metricsUrl), read(sidecarUrl)]);
    const lacking = texts.flatMap(readExposition).filter(({ samples }) => samples.length === 0);
    if (lacking.length > 0) throw new Error(`no sample of ${lacking.map(({ name }) => name).join(', ')}`);
    return texts;
  });
  ingestor = readExposition(ingestorText);
  sidecars = readExposition(sidecarText);
});

afterAll(async () => {
  await sidecar?.stop(10_000);
  pod?.process.kill();
  await Promise.all(simulators.map((simulator) => simulator.close()));
  await redis?.remove();
  await stack?.stop();
  if (existsSync(folder)) rmSync(folder, { recursive: true });
});

describe('a scrape of a pod with all outputs', () => {
  it('is clean for promtool, but for two names that are given', () => {
    expect(checkMetrics(ingestorText)).toEqual([
      'ws_message_latency_ms metric names should not contain abbreviated units',
      'ws_subscription_count non-histogram and non-summary metrics should not have "_count" suffix',
    ]);
    expect(checkMetrics(sidecarText)).toEqual([]);
  });

  it('has every metric that a rule or a dashboard names, with every label that one chooses or groups by', async () => {
    const metrics = [...ingestor, ...sidecars];
    const samples = new Set([...BY_PROMETHEUS, ...metrics.flatMap((metric) => metric.samples)]);
    const labels = new Set([...OF_PROMETHEUS, ...metrics.flatMap((metric) => metric.labels)]);
    const rules = alertsOf(await renderRules()).map(({ expr }) => expr);
    const named = [...rules, ...dashboardExpressions()].map((expr) => ({ expr, ...namesIn(expr) }));
    expect(named.length).toBeGreaterThan(90);
    for (const { expr, ...names } of named) {
      expect(names.metrics.length, expr).toBeGreaterThan(0);
      for (const name of names.metrics) expect(samples, expr).toContain(name);
      for (const label of names.labels) expect(labels, expr).toContain(label);
    }
  });

  it('is what docs/metrics.md says', async () => {
    await expect(metricsReference(ingestor, sidecars)).toMatchFileSnapshot('../../docs/metrics.md');
  });

  it('tells of one pod alone that it owns all that is configured', () => {
    const value = (name: string, given: string) =>
      Number(
        new RegExp(`^${name}\\{exchange="okx",given="${given}"\\} (\\d+)$`, 'm').exec(ingestorText)?.[1],
      );
    for (const [name, units] of [
      ['units_owned', 'units_configured'],
      ['units_owned_hash', 'units_configured_hash'],
    ] as const) {
      expect(value(`tickline_${name}`, 'pattern')).toBeGreaterThan(0);
      expect(value(`tickline_${name}`, 'pattern')).toBe(value(`tickline_${units}`, 'pattern'));
      expect(value(`tickline_${name}`, 'name')).toBe(0);
    }
  });
});
