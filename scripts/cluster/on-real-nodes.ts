import { waitUntil } from '../stack/wait-until.ts';
import { inWords, type MissingRun, type Phase } from './audit/missing-trades.ts';
import type { AuditReport, AuditRequest } from './audit/report.ts';
import { disagreements } from './audit/two-audits.ts';
import type { Cluster } from './cluster.ts';
import { type DrainFigures, drainAndUncordon } from './drain.ts';
import { ExitWatch } from './exit-watch.ts';
import { ReadyWatch } from './ready-watch.ts';
import {
  dryRun,
  freshNamespace,
  install,
  type ReleaseSource,
  rollback,
  settled,
  test,
  uninstall,
  upgrade,
} from './release.ts';
import { shards } from './release-values.ts';
import { StackAddresses, stackNames, stackObjects } from './stack-objects.ts';
import type { Steps } from './steps.ts';
import { ticklineAudit } from './tickline-audit.ts';

/** What a disruption cost. */
export interface DisruptionFigures {
  readonly disruption: string;
  readonly seconds: number;
  /** Fewest shards with a ready pod that were seen meanwhile. */
  readonly leastReadyShards: number;
  /** Trades that the exchanges made meanwhile. */
  readonly made: number;
  readonly missing: readonly MissingRun[];
}

/** What the whole run on real nodes found. */
export interface RealNodesFigures {
  readonly disruptions: readonly DisruptionFigures[];
  readonly final: Omit<AuditReport, 'missing'> & { readonly missingTrades: number };
}

const audit = ['exec', stackNames.exchanges, '--', 'node', 'test/cluster/audit.ts'];
/** Trades in the topic before anything is disturbed. */
const STEADY_TRADES = 1_000;
/** Runs of missing trades that are told line by line; all of them are in the JSON. */
const RUNS_TOLD = 12;

/** Makes the namespace, and in it Kafka, the registry and the simulated exchanges. */
export async function startStack(cluster: Cluster, image: string, rate: number, steps: Steps): Promise<void> {
  await steps.step('namespace', async () => {
    await freshNamespace(cluster);
    return `${cluster.namespace}, pod security: restricted`;
  });
  await steps.step('test stack', async () => {
    await cluster.apply(stackObjects(image, rate, new StackAddresses(cluster.namespace)));
    const pods = Object.values(stackNames).map((name) => `pod/${name}`);
    await cluster.kubectl(['wait', '--for=condition=Ready', ...pods, '--timeout=180s']);
    return `Kafka, registry, 4 simulated exchanges at ${rate} frames/s each`;
  });
}

/** The whole thing: Kafka, registry, simulated exchanges, the release, and what happens to pods in a cluster's life. */
export class RealNodesTest {
  private readonly cluster: Cluster;
  private readonly source: ReleaseSource;
  private readonly steps: Steps;
  private readonly phases: Phase[] = [];
  private readonly disruptions: DisruptionFigures[] = [];

  constructor(cluster: Cluster, source: ReleaseSource, steps: Steps) {
    this.cluster = cluster;
    this.source = source;
    this.steps = steps;
  }

  /** @param rate data frames a second of each exchange */
  async run(
    images: { readonly tickline: string; readonly stack: string },
    rate: number,
  ): Promise<RealNodesFigures> {
    const { cluster, source, steps } = this;
    await startStack(cluster, images.stack, rate, steps);
    await steps.step('dry run', () => dryRun(cluster, source));
    await steps.step('install', async () => {
      await install(cluster, source);
      await settled(cluster);
      return `${shards} shards ready`;
    });
    await steps.step('helm test', () => this.test());
    await steps.step('steady', () => this.steady());

    const exits = new ExitWatch(cluster);
    try {
      await this.disturb();
      const final = await this.audits(images.tickline);
      await steps.step('uninstall', () => uninstall(cluster));
      await steps.step('drains', async () => endedWell(await exits.stop()));
      const { missing, ...rest } = final;
      return { disruptions: this.disruptions, final: { ...rest, missingTrades: count(missing) } };
    } finally {
      await exits.stop();
    }
  }

  /** What happens to pods in a cluster's life. */
  private async disturb(): Promise<void> {
    const { cluster, source, steps } = this;
    await this.disrupt('rollout under load', async () => {
      await cluster.kubectl(['rollout', 'restart', 'deployment', `--selector=${cluster.ingestors}`]);
      await cluster.rolledOut();
    });
    await this.disrupt('delete pod', async () => {
      const [pod] = await cluster.ingestorPods();
      await cluster.kubectl(['delete', `pod/${pod!.metadata.name}`, '--timeout=120s']);
    });
    let drained: DrainFigures | undefined;
    await this.disrupt('drain, uncordon', async () => {
      const nodes = new Set((await cluster.ingestorPods()).map(({ spec }) => spec.nodeName!));
      for (const node of nodes) {
        drained = await drainAndUncordon(cluster, node);
        await settled(cluster);
      }
    });
    if (drained?.onlyNode === true) {
      steps.note('no other node: the budget held back the second pod until the first was ready again');
    }
    await this.disrupt('upgrade', () => upgrade(cluster, source, 'config.log.level=debug'));
    await steps.step('helm test', () => this.test());
    await this.disrupt('rollback', () => rollback(cluster, 1));
    await steps.step('helm test', () => this.test());
  }

  /** Ours, and the image's own, which must agree. */
  private async audits(image: string): Promise<AuditReport> {
    const { cluster, steps } = this;
    let final: AuditReport | undefined;
    await steps.step('audit of all', async () => {
      final = await this.auditAll();
      const { trades, quotes, producers, repeated, holes } = final;
      return `${trades} trades and ${quotes} quotes of ${producers} pods in Kafka, ${repeated} trades twice, ${holes.length} holes`;
    });
    await steps.step('tickline audit', async () => {
      const rows = await ticklineAudit(cluster, image, new StackAddresses(cluster.namespace));
      const differ = disagreements(final!.missing, rows);
      if (differ.length > 0) throw new Error(differ.join('\n'));
      const ids = rows.reduce((sum, { missingIds }) => sum + (missingIds ?? 0), 0);
      const sequences = rows.reduce((sum, { missingSequences }) => sum + missingSequences, 0);
      return `the image's own: ${ids} ids missing where ids count, as by the exchanges' ledgers; ${sequences} by sequence`;
    });
    return final!;
  }

  private async test(): Promise<undefined> {
    await test(this.cluster);
  }

  /** Undisturbed, nothing is missing. */
  private async steady(): Promise<string> {
    const from = await this.now();
    const report = await waitUntil(
      async () => {
        const phase = { name: 'steady', from, to: await this.now() };
        const report = await this.audit([phase]);
        return report.made >= STEADY_TRADES ? { phase, ...report } : undefined;
      },
      { what: `${STEADY_TRADES} trades`, timeoutMs: 180_000, everyMs: 1_000 },
    );
    this.phases.push(report.phase);
    if (report.missing.length > 0)
      throw new Error(`missing undisturbed:\n${report.missing.map(inWords).join('\n')}`);
    return `${report.made} trades made, 0 missing; ${report.trades} trades and ${report.quotes} quotes in Kafka`;
  }

  private async disrupt(name: string, action: () => Promise<void>): Promise<void> {
    let runs: readonly MissingRun[] = [];
    await this.steps.step(name, async () => {
      const from = await this.now();
      const watch = new ReadyWatch(this.cluster);
      let leastReadyShards: number;
      try {
        await action();
        await settled(this.cluster);
      } finally {
        leastReadyShards = await watch.stop();
      }
      const phase = { name, from, to: await this.now() };
      this.phases.push(phase);
      const { made, missing } = await this.audit([phase]);
      const seconds = Math.round((phase.to - from) / 1e5) / 10;
      this.disruptions.push({ disruption: name, seconds, leastReadyShards, made, missing });
      runs = missing;
      // The budget and maxUnavailable: 0 are there for this.
      if (leastReadyShards < shards - 1)
        throw new Error(`only ${leastReadyShards} shards were ready at a time`);
      const share = `${count(missing)} of ${made} trades missing`;
      return `${share}, at least ${leastReadyShards} of ${shards} shards ready`;
    });
    for (const run of runs.slice(0, RUNS_TOLD)) this.steps.note(inWords(run));
    if (runs.length > RUNS_TOLD)
      this.steps.note(`and ${runs.length - RUNS_TOLD} more runs (--json lists all)`);
  }

  /** With the markets closed: nothing is missing but what went missing in a disruption, and no pod lost what it had. */
  private async auditAll(): Promise<AuditReport> {
    await this.exec(['market', 'off']);
    const end = await this.now();
    const between = this.phases.map(({ to }, at) => ({
      name: 'between',
      from: to,
      to: this.phases[at + 1]?.from ?? end,
    }));
    const report = await this.audit([...this.phases, ...between]);
    const unexplained = report.missing.filter(({ phase }) => phase === 'between' || phase === 'steady');
    if (unexplained.length > 0) {
      throw new Error(`missing though nothing was disturbed:\n${unexplained.map(inWords).join('\n')}`);
    }
    if (report.holes.length > 0) throw new Error(`pods lost what they had:\n${report.holes.join('\n')}`);
    return report;
  }

  private async audit(phases: readonly Phase[]): Promise<AuditReport> {
    const { broker, registryUrl } = new StackAddresses(this.cluster.namespace);
    const request: AuditRequest = { brokers: [broker], registryUrl, phases };
    return (await this.exec(['report', JSON.stringify(request)])) as AuditReport;
  }

  private async now(): Promise<number> {
    return Number(await this.exec(['now']));
  }

  private async exec(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.cluster.kubectl([...audit, ...args], { timeoutMs: 180_000 }));
  }
}

function endedWell(codes: ReadonlyMap<string, number | null>): string {
  const bad = [...codes].filter(([, code]) => code !== 0);
  if (bad.length > 0) {
    const told = bad.map(([pod, code]) => `${pod}: ${code ?? 'not heard'}`);
    throw new Error(`ingestors did not end with 0:\n${told.join('\n')}`);
  }
  return `${codes.size} pods ended, each with 0: all that it had received was acknowledged`;
}

function count(runs: readonly MissingRun[]): number {
  return runs.reduce((sum, { trades }) => sum + trades, 0);
}
