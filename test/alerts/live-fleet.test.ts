import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagedProcess, startNode } from '../../scripts/processes/managed-process.ts';
import { ticklineFolder } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { ownersBy } from '../../services/ingestor/src/sharding/ownership.ts';
import { NAMESPACE, RELEASE } from '../chart/helm.ts';
import type { Simulator } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { canonical } from '../support/four-exchanges.ts';
import { type Pod, type PodOptions, provision, startPod } from '../support/pod.ts';
import { startSimulators } from '../support/simulators.ts';
import { dashboardExpressions } from './grafana-expressions.ts';
import { type Answer, type PrometheusServer, startPrometheus, type Target } from './prometheus-server.ts';
import { namesIn } from './promql-names.ts';
import { alertsOf, renderRules } from './rendered-rules.ts';

// A real Prometheus over real pods: whether series meet as the expressions think, with the labels that there are.
// Times (`for`) are left out: cases.ts has them.

const PLAN = {
  count: 2,
  previousCount: null,
  pins: [],
  exclusive: [],
  previousPins: null,
  previousExclusive: null,
};

/** Settings that a busy machine would reach. */
const UNREACHABLE = {
  'alerts.TicklineCpuSaturated.cores': 64,
  'alerts.TicklineLatencyHigh.milliseconds': 60_000,
};

/** A pod as Kubernetes has it: an ingestor and its sidecar. */
interface WholePod {
  readonly ingestor: Pod;
  readonly sidecar: ManagedProcess;
  readonly targets: readonly Target[];
}

let folder: string;
let stack: Stack;
let prometheus: PrometheusServer;
let simulators: Simulator[] = [];
let options: PodOptions;
const expressions = new Map<string, string[]>();
const pods = new Map<string, WholePod>();

function scrapeAll(): void {
  prometheus.scrape([...pods.values()].flatMap(({ targets }) => targets));
}

async function start(name: string, index: number, flags: readonly string[] = []): Promise<WholePod> {
  const all = [...(options.flags ?? []), ...flags];
  const ingestor = await startPod({ ...options, shard: { index, count: 2 }, flags: all });
  const sidecar = startNode(
    `sidecar of ${name}`,
    [
      'services/sidecar/src/main.ts',
      'run',
      `--ingestor.url=${ingestor.statusUrl}/status`,
      '--ingestor.pollMs=100',
      '--listen.port=0',
    ],
    join(folder, `${name}.log`),
    new AbortController().signal,
  );
  const sidecarUrl = await sidecar.line(
    (line) => (line.event === 'listening' ? (line.data as { url: string }).url : undefined),
    'listens',
    30_000,
  );
  const labels = (container: string) => ({ namespace: NAMESPACE, release: RELEASE, pod: name, container });
  const pod = {
    ingestor,
    sidecar,
    targets: [
      { url: ingestor.metricsUrl, labels: labels('ingestor') },
      { url: sidecarUrl, labels: labels('sidecar') },
    ],
  };
  pods.set(name, pod);
  await ingestor.until('all subscriptions are settled', ({ ready }) => ready);
  return pod;
}

/** What an alert's expressions give now; an alert of two severities has two. */
async function asked(alert: string): Promise<Answer[]> {
  return (await Promise.all(expressions.get(alert)!.map((expr) => prometheus.query(expr)))).flat();
}

/** Waits until the alert's expressions give something. */
function fires(alert: string): Promise<Answer[]> {
  return eventually(alert, async () => {
    const answers = await asked(alert);
    return answers.length > 0 ? answers : undefined;
  });
}

beforeAll(async () => {
  mkdirSync(ticklineFolder, { recursive: true });
  folder = mkdtempSync(join(ticklineFolder, 'live-fleet-'));
  [stack, prometheus] = await Promise.all([startStack(), startPrometheus()]);
  simulators = await startSimulators({ symbols: 12, rate: 400 });
  options = {
    stack,
    simulators,
    flags: ['--grpc.enabled=true', '--grpc.port=0', '--drainBudgetMs=1000', '--drainReportMs=600000'],
  };
  await provision(options);
  for (const { alert, expr } of alertsOf(await renderRules(UNREACHABLE, { 'shards.count': 2 }))) {
    expressions.set(alert, [...(expressions.get(alert) ?? []), expr]);
  }
  await Promise.all([start('shard-0', 0), start('shard-1', 1)]);
  scrapeAll();
});

afterAll(async () => {
  for (const { ingestor, sidecar } of pods.values()) {
    ingestor.process.kill();
    sidecar.kill();
  }
  await Promise.all(simulators.map((simulator) => simulator.close()));
  await prometheus?.remove();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a fleet of two shards in a real Prometheus', () => {
  it('fires nothing while all is well, and fills the dashboards', async () => {
    await eventually('four targets to be scraped twice', async () => {
      const [scraped] = await prometheus.query('count(count_over_time(up[10s]) >= 2 and up == 1) == 4');
      return scraped !== undefined;
    });
    await eventually('no alert', async () => {
      const loud = await Promise.all(
        [...expressions.keys()].map(async (alert) => [alert, await asked(alert)] as const),
      );
      const firing = loud.filter(([, answers]) => answers.length > 0);
      if (firing.length > 0) throw new Error(JSON.stringify(firing));
      return true;
    });
    const empty: string[] = [];
    for (const expr of dashboardExpressions()) {
      const all = expr.replaceAll('"some"', '".+"').replaceAll('[1m]', '[10s]');
      if ((await prometheus.query(all)).length === 0) empty.push(...namesIn(expr).metrics);
    }
    // No connection was lost, no alert fires, no output errs: these have no series.
    expect(empty).toEqual(['tickline_connection_reconnects_total', 'ALERTS', 'tickline_sink_errors_total']);
  });

  it('finds the symbol that two configurations leave to nobody, though the number of symbols is right', async () => {
    const okx = simulators.find(({ exchange }) => exchange === 'okx')!;
    const symbols = okx.instruments.map(({ exchangeSymbol }) => canonical(okx, exchangeSymbol));
    const owners = ownersBy(PLAN);
    const lost = symbols.find((symbol) => owners(`okx:${symbol}`)[0] === 1)!;
    const doubled = symbols.find((symbol) => owners(`okx:${symbol}`)[0] === 0)!;
    // Shard 1 was told that the two have changed places, and shard 0 was not.
    await pods.get('shard-1')!.ingestor.stop();
    pods.get('shard-1')!.sidecar.kill();
    pods.delete('shard-1');
    const pins = [
      { unit: `okx:${lost}`, shard: 0 },
      { unit: `okx:${doubled}`, shard: 1 },
    ];
    await start('new', 1, [`--shard.pins=${JSON.stringify(pins)}`]);
    scrapeAll();
    const unowned = await fires('TicklineSymbolUnowned');
    expect(unowned).toEqual([{ labels: { exchange: 'okx', given: 'pattern' }, value: 1 }]);
    expect(await fires('TicklineSymbolDoublyOwned')).toEqual([
      { labels: { exchange: 'okx', given: 'pattern' }, value: 1 },
    ]);
    expect(await fires('TicklineAssignmentDrift')).toEqual([{ labels: {}, value: 2 }]);
    expect(await asked('TicklineShardCountMismatch')).toEqual([]);
  });

  it('names the shard that is missing, and the pod whose ingestor does not answer', async () => {
    pods.get('new')!.ingestor.process.kill();
    expect(await fires('TicklineShardMissing')).toEqual([{ labels: { shard: '1' }, value: 1 }]);
    const [lost] = await fires('TicklineSidecarLostIngestor');
    expect(lost?.labels).toMatchObject({ pod: 'new', container: 'sidecar' });
    // One cause, one alert.
    await eventually('the unowned symbol is told by the missing shard only', async () =>
      (await asked('TicklineSymbolUnowned')).length === 0 ? true : undefined,
    );
    pods.get('new')!.sidecar.kill();
    pods.delete('new');
    scrapeAll();
  });

  it('sees that Kafka is away, and learns in one last scrape what a drain without it left', async () => {
    const { ingestor } = pods.get('shard-0')!;
    await stack.broker(0).stop('SIGKILL');
    expect(await fires('TicklineSinkUnhealthy')).toEqual([{ labels: { sink: 'kafka' }, value: 0 }]);
    const ended = ingestor.process.stop(60_000);
    const [left] = await fires('TicklineDrainTimeout');
    expect(left?.labels).toMatchObject({ pod: 'shard-0', container: 'ingestor' });
    // Told once, it does not wait any longer.
    expect((await ended).code).toBe(1);
    const stopped = ingestor.log().find(({ event }) => event === 'stopped')!;
    expect(left?.value).toBe((stopped.data as { lost: number }).lost);
  });
});
