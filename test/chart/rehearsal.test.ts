import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBundle } from '../../scripts/image/bundle.ts';
import { freePort } from '../../scripts/stack/free-port.ts';
import { repositoryRoot, ticklineFolder } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { matchedIn, readBack, troublesOf } from '../support/read-back.ts';
import { startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { serviceLinks } from './container-environment.ts';
import { NAMESPACE } from './helm.ts';
import { ofKind, type PodMade, podsMade, type Service, shardOf, shardPods } from './kubernetes-objects.ts';
import { RehearsedPod } from './rehearsed-pod.ts';
import { type Rendered, render } from './rendered.ts';

/** Named so that Kubernetes' variables for its Services begin as ours do: TICKLINE_PAGE_PORT=tcp://… */
const RELEASE = 'tickline';
const SHARDS = 2;
const RATE = 4_000;
const PREFIX = 'rehearsal.';
const SYMBOLS = 20;
const secrets = { access: { page: 'token-of-the-status-page', grpc: 'token-of-a-grpc-client' } };
/** Services that others have in the namespace, whose variables are called like settings of ours. */
const neighbours: Service[] = ['metrics', 'status', 'grpc', 'sidecar', 'log'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `${RELEASE}-${name}` },
  spec: { ports: [{ name: 'http', port: 80 }] },
}));

let folder: string;
let stack: Stack;
let simulators: Simulator[];
/** One render for each shard: all pods have one address here, so that each needs ports of its own. */
let renders: Rendered[];
let bundle: string;
const started: RehearsedPod[] = [];
let shards: RehearsedPod[];

beforeAll(async () => {
  mkdirSync(ticklineFolder, { recursive: true });
  folder = mkdtempSync(join(ticklineFolder, 'chart-rehearsal-'));
  bundle = (await makeBundle(repositoryRoot, join(folder, 'bundle'))).folder;
  [stack, simulators] = await Promise.all([startStack(), startSimulators({ symbols: SYMBOLS, rate: RATE })]);
  renders = await Promise.all(Array.from({ length: SHARDS }, () => renderShards()));
});

afterAll(async () => {
  await Promise.all(started.map((pod) => pod.close()));
  await Promise.all((simulators ?? []).map((simulator) => simulator.close()));
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The chart for the stack and the simulators, with ports that are free. */
async function renderShards(more: object = {}): Promise<Rendered> {
  const ports = {
    metrics: await freePort(),
    status: await freePort(),
    sidecar: await freePort(),
    grpc: await freePort(),
  };
  const values = {
    listenAddress: '127.0.0.1',
    shards: { count: SHARDS },
    config: {
      exchanges: Object.fromEntries(
        simulators.map(({ exchange, url, restUrl }) => [
          exchange,
          { symbols: ['*'], endpoints: { websocket: url, rest: restUrl } },
        ]),
      ),
      kafka: { brokers: [...stack.brokers], topicPrefix: PREFIX },
      registry: { url: stack.registryUrl },
      topics: { partitions: 4 },
      metrics: { port: ports.metrics },
      status: { port: ports.status },
      grpc: { enabled: true, port: ports.grpc },
    },
    sidecar: { port: ports.sidecar },
    secrets: {
      sidecar: { token: { name: 'access', key: 'page' } },
      grpc: { token: { name: 'access', key: 'grpc' } },
    },
    ...more,
  };
  const file = join(mkdtempSync(join(folder, 'values-')), 'values.yaml');
  writeFileSync(file, JSON.stringify(values));
  return render({ release: RELEASE, valuesFiles: [file] });
}

function rehearse({ objects }: Rendered, pod: PodMade, podName: string): RehearsedPod {
  const rehearsed = new RehearsedPod(pod, {
    objects,
    secrets,
    podName,
    namespace: NAMESPACE,
    podIp: '127.0.0.1',
    workingFolder: bundle,
    folder: join(mkdtempSync(join(folder, 'pod-')), podName),
    links: serviceLinks([...ofKind(objects, 'Service'), ...neighbours]),
  });
  started.push(rehearsed);
  return rehearsed;
}

function shardPod(rendered: Rendered, shard: number): PodMade {
  return shardPods(rendered.objects).find((pod) => shardOf(pod) === shard)!;
}

/** What a sidecar says of its ingestor: `unreachable`, `up`, … */
async function stateToldBy(pod: RehearsedPod): Promise<string> {
  const answer = await fetch(`${pod.url('sidecar', 'sidecar')}/healthz`);
  return ((await answer.json()) as { ingestor: { state: string } }).ingestor.state;
}

describe('two shards of the chart, as processes', () => {
  it('first the Job makes topics and schemas, and ends with 0', async () => {
    const [rendered] = renders as [Rendered];
    const job = podsMade(rendered.objects).find(({ object }) => object.kind === 'Job')!;
    expect(job.object.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
    const provision = rehearse(rendered, job, 'provision');
    provision.startContainers();
    expect(await provision.ended('provision'), provision.output('provision')).toEqual({
      code: 0,
      signal: null,
    });
    const admin = new Kafka({ brokers: [...stack.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    expect(await admin.listTopics()).toEqual(
      expect.arrayContaining(['trades', 'quotes', 'status', 'invalid'].map((topic) => `${PREFIX}${topic}`)),
    );
    await admin.disconnect();
  });

  it('the sidecar is up before the ingestor exists, and says so; then both are', async () => {
    shards = renders.map((rendered, shard) =>
      rehearse(rendered, shardPod(rendered, shard), `shard-${shard}`),
    );
    await Promise.all(shards.map((pod) => pod.startInitContainers()));
    for (const pod of shards) {
      expect(pod.events).toEqual([
        { container: 'sidecar', what: 'process' },
        { container: 'sidecar', what: 'started' },
        { container: 'sidecar', what: 'ready' },
      ]);
      await eventually(
        'the sidecar misses its ingestor',
        async () => (await stateToldBy(pod)) === 'unreachable',
      );
      expect(pod.ready).toBe(false);
    }
    for (const pod of shards) pod.startContainers();
    for (const pod of shards) {
      await eventually('the sidecar hears its ingestor', async () => (await stateToldBy(pod)) === 'up');
    }
  });

  it('a pod is ready when all that it owns is subscribed, and not before it has started', async () => {
    for (const pod of shards) await pod.until('the pod is ready', () => pod.ready);
    for (const pod of shards) {
      expect(pod.events.filter(({ container }) => container === 'ingestor')).toEqual([
        { container: 'ingestor', what: 'process' },
        { container: 'ingestor', what: 'started' },
        { container: 'ingestor', what: 'ready' },
      ]);
    }
    // Together, and without overlap: trades and quotes of each symbol.
    for (const simulator of simulators) {
      expect(simulator.stats()).toMatchObject({ acknowledgedSubscriptions: 2 * SYMBOLS, violations: {} });
    }
  });

  it('what probes and scraping ask for is open, the page asks for the token of its Secret', async () => {
    for (const pod of shards) {
      const sidecar = pod.url('sidecar', 'sidecar');
      for (const address of [`${pod.url('ingestor', 'metrics')}/metrics`, `${sidecar}/metrics`]) {
        const answer = await fetch(address);
        expect([address, answer.status]).toEqual([address, 200]);
      }
      expect((await fetch(`${sidecar}/status`)).status).toBe(401);
      const authorization = `Bearer ${secrets.access.page}`;
      expect((await fetch(`${sidecar}/status`, { headers: { authorization } })).status).toBe(200);
    }
  });

  it('SIGTERM under load: within the grace period all is acknowledged, nothing is lost, the sidecar ends last', async () => {
    const goal = ticksWritten(simulators) + 3 * RATE;
    await eventually('ticks flow', () => ticksWritten(simulators) >= goal, 30_000);
    const ends = await Promise.all(shards.map((pod) => pod.terminate()));
    stopMarkets(simulators);
    const well = { code: 0, signal: null };
    for (const [shard, pod] of shards.entries()) {
      expect(ends[shard], pod.output('ingestor').slice(-2_000)).toEqual({ ingestor: well, sidecar: well });
      expect(pod.events.slice(-4)).toEqual([
        { container: 'ingestor', what: 'SIGTERM' },
        { container: 'ingestor', what: 'ended' },
        { container: 'sidecar', what: 'SIGTERM' },
        { container: 'sidecar', what: 'ended' },
      ]);
      expect(pod.output('ingestor')).toContain('everything was acknowledged');
    }
    const channels = await readBack(stack, simulators, PREFIX);
    expect(troublesOf(channels)).toEqual([]);
    expect(matchedIn(channels)).toBeGreaterThanOrEqual(goal);
  });

  it('no secret of a pod is in what its containers wrote', () => {
    for (const pod of shards) {
      for (const secret of Object.values(secrets.access)) {
        expect(pod.output('ingestor')).not.toContain(secret);
        expect(pod.output('sidecar')).not.toContain(secret);
      }
    }
  });

  it.each([
    [
      'a wrong value in the environment',
      { TICKLINE_KAFKA_QUEUE_BYTES: 'plenty' },
      /TICKLINE_KAFKA_QUEUE_BYTES.*kafka\.queueBytes/,
    ],
    [
      'a setting that does not exist',
      { TICKLINE_KAFKA_QUEUE_BITES: '1' },
      /TICKLINE_KAFKA_QUEUE_BITES.*TICKLINE_KAFKA_QUEUE_BYTES/,
    ],
  ])('%s: the ingestor ends with 2 and one sentence, the sidecar goes on', async (_, variables, sentence) => {
    const extraEnv = Object.entries(variables).map(([name, value]) => ({ name, value }));
    const rendered = await renderShards({ extraEnv });
    const pod = rehearse(rendered, shardPod(rendered, 0), 'refused');
    await pod.startInitContainers();
    pod.startContainers();
    expect(await pod.ended('ingestor')).toEqual({ code: 2, signal: null });
    const lines = pod.output('ingestor').trim().split('\n');
    expect(lines.filter((line) => sentence.test(line))).toHaveLength(1);
    expect(lines.length).toBeLessThanOrEqual(2);
    expect(await stateToldBy(pod)).toBe('unreachable');
    await pod.close();
  });
});
