import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXCHANGES, type PodStatus } from '@tickline/schemas';
import type { ManagedProcess } from '../processes/managed-process.ts';
import { repositoryRoot } from '../stack/paths.ts';
import { nowMicros } from './now-micros.ts';
import type { DemoOptions } from './options.ts';
import { Parts, type RunningParts } from './parts.ts';
import type { Pod } from './pod.ts';
import { makeRunFolder } from './run-folder.ts';
import type { Samples } from './samples.ts';
import { Scoreboard } from './scoreboard.ts';
import type { Screen } from './screen.ts';
import type { Simulators } from './simulators.ts';
import { leadingSink, SINK_FACTS, type SinkName } from './sinks.ts';
import type { SubscriberListener } from './subscriber.ts';
import { noResults, type Results } from './summary.ts';
import { type DemoView, type PodView, troublesOf } from './view.ts';

const REFRESH_MS = 500;
const LEDGER_EVERY_MS = 200;
const READY_MS = 60_000;
/** A run with a DURATION and without a tick would never end: it fails after this long. */
const FIRST_TICK_MS = 90_000;
/** What was on its way when the market stopped has arrived when nothing more came for this long. */
const QUIET_MS = 5_000;
/** Above the pods' own drain budget of 20 s. */
const DRAIN_MS = 30_000;
const REACH_END_MS = 60_000;
const QUICK_END_MS = 5_000;

/** How a run ended. */
export interface Outcome {
  readonly results: Results;
  /** From the first tick to the end of the market. */
  readonly seconds: number;
  /** Why the run failed as a whole; null when it did not. */
  readonly error: string | null;
  /** Whether it came so far that there is something to sum up. */
  readonly ran: boolean;
  /** The signal that ended it before its time; null for an ordinary end. */
  readonly interruptedBy: NodeJS.Signals | null;
}

/**
 * Runs the demo from the first server to the last and stops everything again; never rejects.
 * @param interrupt aborted with a signal's name as its reason to end the run in an orderly way
 */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  interrupt: AbortSignal,
): Promise<Outcome> {
  return await new Demo(options, screen, interrupt).run();
}

class Demo {
  private readonly options: DemoOptions;
  private readonly screen: Screen;
  private readonly interrupt: AbortSignal;
  /** Aborted when the start or the run is given up: by the interrupt, or because a part failed. */
  private readonly over = new AbortController();
  /** Aborted when nothing is to be looked at any more. */
  private readonly looking = new AbortController();
  private readonly folder: string = makeRunFolder();
  private readonly parts: Parts;
  private readonly board: Scoreboard;
  private samples: Samples | null = null;
  private footer = 'Ctrl-C stops everything';
  private failure: Error | null = null;
  /** What the view shows as such, for errors. */
  private troubles: readonly string[] = [];
  private endedAt: number | null = null;

  constructor(options: DemoOptions, screen: Screen, interrupt: AbortSignal) {
    this.options = options;
    this.screen = screen;
    this.interrupt = interrupt;
    this.board = new Scoreboard(options.live, options.sinks);
    this.parts = new Parts(this.folder, this.over.signal, screen.progress, (error) => this.fail(error));
    const onInterrupt = (): void => {
      screen.progress(`${interrupt.reason}: stopping, once more kills what is left`);
      this.over.abort(new Error(`interrupted by ${interrupt.reason}`));
    };
    if (interrupt.aborted) onInterrupt();
    else interrupt.addEventListener('abort', onInterrupt);
  }

  async run(): Promise<Outcome> {
    const { screen, options, board } = this;
    let running: RunningParts | null = null;
    let results = noResults(options.live, options.sinks);
    let cutShort = true;
    try {
      screen.progress(`logs are in ${this.shownFolder}`);
      running = await this.parts.start(
        options,
        (sink) => this.listener(sink),
        (samples) => {
          this.samples = samples;
        },
      );
      const looked = this.look(running);
      try {
        await this.openMarket(running);
        await this.untilOver();
        // Without a duration the interrupt is the ordinary end.
        cutShort = this.interrupt.aborted && (options.durationSeconds !== null || board.firstTickAt === null);
        results = await this.end(running, looked);
      } finally {
        this.looking.abort();
        await looked;
      }
    } catch (error) {
      // An interrupted start is no failure.
      if (!this.interrupt.aborted) this.fail(error as Error);
      if (running !== null) results = board.results(statusesOf(running.pods), false);
    }
    screen.finish();
    screen.progress('stopping what still runs');
    try {
      await this.parts.stop();
    } catch (error) {
      this.fail(error as Error);
    }
    screen.progress('everything is stopped');
    const interruptedBy =
      this.interrupt.aborted && cutShort ? (this.interrupt.reason as NodeJS.Signals) : null;
    const ran = running !== null;
    const error =
      this.failure?.message ?? (interruptedBy === null || ran ? null : `interrupted by ${interruptedBy}`);
    return { results, seconds: this.seconds ?? 0, error, ran, interruptedBy };
  }

  /** The first failure counts: what follows follows from it. */
  private fail(error: Error): void {
    this.failure ??= error;
    this.over.abort(error);
  }

  private get shownFolder(): string {
    return relative(repositoryRoot, this.folder);
  }

  /** Since the first tick, until the market stopped; null before it. */
  private get seconds(): number | null {
    const { firstTickAt } = this.board;
    if (firstTickAt === null) return null;
    return ((this.endedAt ?? performance.now()) - firstTickAt) / 1000;
  }

  private listener(sink: SinkName): SubscriberListener {
    const { board } = this;
    const { title } = SINK_FACTS[sink];
    const isLeading = sink === leadingSink(this.options.sinks);
    return {
      tick: (channel, stamp, readTime, value) => {
        board.tick(sink, channel, stamp, readTime);
        if (isLeading) this.samples?.offer(channel, stamp, readTime, value);
      },
      status: (record) => board.status(sink, record),
      failed: (error) =>
        this.fail(new Error(`the subscriber of ${title} failed: ${error.message}`, { cause: error })),
    };
  }

  /** Asks the pods, takes the ledgers and draws the view until there is nothing to look at any more. */
  private async look(running: RunningParts): Promise<void> {
    const { signal } = this.looking;
    const { simulators } = running;
    const every = async (ms: number, step: () => Promise<void>): Promise<void> => {
      while (!signal.aborted) {
        try {
          await step();
        } catch (error) {
          this.fail(error as Error);
          return;
        }
        await delay(ms, undefined, { signal }).catch(() => undefined);
      }
    };
    await Promise.all([
      every(REFRESH_MS, async () => {
        this.parts.checkServers();
        await Promise.all(running.pods.map((pod) => pod.poll()));
        await this.draw(running);
      }),
      ...(simulators === null ? [] : [every(LEDGER_EVERY_MS, () => this.takeLedgers(simulators))]),
    ]);
  }

  private async draw({ pods, servers, samples }: RunningParts): Promise<void> {
    const view: DemoView = {
      live: this.options.live,
      seconds: this.seconds,
      durationSeconds: this.options.durationSeconds,
      rate: this.options.rate,
      servers,
      logFolder: this.shownFolder,
      exchanges: this.board.views(statusesOf(pods)),
      sinks: this.board.sinkViews(),
      pods: pods.map(podView),
      samples: await samples.views(nowMicros()),
      news: this.board.news,
      footer: this.footer,
    };
    this.troubles = troublesOf(view);
    this.screen.show(view);
  }

  private async takeLedgers(simulators: Simulators): Promise<void> {
    for (const exchange of EXCHANGES) {
      const reconciler = this.board.reconciler(exchange);
      for await (const written of simulators.written(exchange)) reconciler.wrote(written);
    }
  }

  /** The simulated market opens when every subscription is acknowledged: a cold start is no latency. */
  private async openMarket({ simulators, pods, subscribers }: RunningParts): Promise<void> {
    if (simulators === null) return;
    const { signal } = this.over;
    const deadline = performance.now() + READY_MS;
    while (!signal.aborted && !pods.every(({ status }) => status?.ready === true)) {
      if (performance.now() > deadline) {
        const reasons = pods.map(({ index, status }) => `pod ${index}: ${status?.notReady ?? 'no answer'}`);
        throw new Error(`the pods are not ready after ${READY_MS / 1000} s (${reasons.join('; ')})`);
      }
      await delay(50, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) return;
    try {
      await Promise.all(subscribers.map((subscriber) => subscriber.ready(signal)));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) return;
    this.board.measureFrom(nowMicros());
    await simulators.market(true);
    this.screen.progress('every subscription is acknowledged: the simulated markets open');
  }

  /** Resolves when the time is over or the run is interrupted; rejects when a part failed. */
  private async untilOver(): Promise<void> {
    const { durationSeconds } = this.options;
    const { signal } = this.over;
    const started = performance.now();
    const sleep = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted && this.board.firstTickAt === null) {
      if (durationSeconds !== null && performance.now() - started > FIRST_TICK_MS) {
        throw new Error(this.noTick());
      }
      await sleep(20);
    }
    if (!signal.aborted) this.screen.progress('the first tick was read back');
    while (!signal.aborted && (durationSeconds === null || (this.seconds ?? 0) < durationSeconds)) {
      const left = durationSeconds === null ? Infinity : durationSeconds - (this.seconds ?? 0);
      await sleep(Math.min(REFRESH_MS, Math.max(1, left * 1000)));
    }
    if (this.failure !== null) throw this.failure;
  }

  private noTick(): string {
    const reasons = this.troubles.map((trouble) => `\n  ${trouble}`).join('');
    return `no tick was read back within ${FIRST_TICK_MS / 1000} s; the logs are in ${this.shownFolder}${reasons}`;
  }

  /**
   * The market stops, the pods drain, the subscribers reach the end; then all is counted.
   * @param looked resolves when nobody looks any more
   */
  private async end(running: RunningParts, looked: Promise<void>): Promise<Results> {
    const { simulators, pods, subscribers } = running;
    this.endedAt = performance.now();
    if (simulators !== null) {
      this.say('the simulators stop; what is on its way arrives');
      await simulators.market(false);
      await this.untilArrived();
    }
    this.say('the pods drain');
    const undrained = (await Promise.all(pods.map((pod) => this.drain(pod)))).find((each) => each !== null);
    await Promise.all(pods.map(({ sidecar }) => this.stopProcess(sidecar, QUICK_END_MS)));
    this.looking.abort();
    await looked;
    if (simulators !== null) {
      await this.takeLedgers(simulators);
      await this.stopProcess(simulators.process, QUICK_END_MS);
    }
    this.say('the subscribers reach the end');
    await Promise.all(subscribers.map((subscriber) => subscriber.reachEnd(REACH_END_MS)));
    this.footer = '';
    await this.draw(running);
    if (undrained !== undefined) this.fail(undrained);
    return this.board.results(statusesOf(pods), undrained === undefined);
  }

  /** Resolves when all that is owed was read back, or nothing more of it comes. */
  private async untilArrived(): Promise<void> {
    let least = Infinity;
    let changedAt = performance.now();
    // The ledger is taken in the background: two rounds of it after the market stopped hold everything.
    await delay(3 * LEDGER_EVERY_MS);
    while (performance.now() - changedAt < QUIET_MS) {
      const left = this.board.onTheWay;
      if (left === 0) return;
      if (left < least) {
        least = left;
        changedAt = performance.now();
      }
      await delay(50);
    }
  }

  /** Ends an ingestor as Kubernetes would; resolves with what went wrong, or null. */
  private async drain(pod: Pod): Promise<Error | null> {
    this.parts.release(pod.ingestor);
    const ending = pod.ingestor.stop(DRAIN_MS);
    // It tells its last counts while it drains.
    while (!pod.ingestor.hasEnded) await Promise.all([pod.poll(), delay(50)]);
    const { code } = await ending;
    return code === 0 ? null : pod.ingestor.deathNotice();
  }

  private async stopProcess(process: ManagedProcess, graceMs: number): Promise<void> {
    this.parts.release(process);
    await process.stop(graceMs);
  }

  private say(what: string): void {
    this.footer = `${what} …`;
    this.screen.progress(what);
  }
}

function statusesOf(pods: readonly Pod[]): PodStatus[] {
  return pods.flatMap(({ status }) => (status === null ? [] : [status]));
}

function podView({ index, status, health, cpuPercent, ingestor, sidecar }: Pod): PodView {
  const sinks = status?.sinks ?? [];
  const over = ingestor.hasEnded;
  return {
    shard: status === null ? String(index) : `${status.shard.index} of ${status.shard.count}`,
    phase: over ? 'ended' : (status?.phase ?? 'starting'),
    ready: !over && status?.ready === true,
    health: sidecar.hasEnded ? 'ended' : health.text,
    healthy: health.healthy && !sidecar.hasEnded,
    cpuPercent: over ? 0 : cpuPercent,
    rssBytes: over ? 0 : (status?.rssBytes ?? 0),
    queuedBytes: sinks.reduce((sum, sink) => sum + sink.queuedBytes, 0),
    queueLimitBytes: sinks.reduce((sum, sink) => sum + sink.queueLimitBytes, 0),
    trouble: over ? null : troubleOf(sinks),
  };
}

function troubleOf(sinks: PodStatus['sinks']): string | null {
  const ill = sinks.find(({ healthy }) => !healthy);
  return ill === undefined ? null : `${ill.sink}: ${ill.detail ?? 'does not answer'}`;
}
