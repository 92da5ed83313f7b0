import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import type { Simulator, SimulatorOptions } from '../exchanges/simulator.ts';
import { eventually } from '../support/eventually.ts';
import { type Pod, podFlags, provision, startPod } from '../support/pod.ts';
import { holesOf, matchedIn, mistakesOf, readBack, troublesOf } from '../support/read-back.ts';
import { runsMissing, runsTold, symbolsOf } from '../support/shed-runs.ts';
import { startMarkets, startSimulators, stopMarkets, ticksWritten } from '../support/simulators.ts';
import { readRecords } from '../support/topic-records.ts';

const RATE = 8_000;
/** The smallest queue there may be: its reserve holds less than one gap record for each symbol. */
const BRIM = 1024 * 1024;

let stack: Stack;
const cases: Case[] = [];

beforeAll(async () => {
  stack = await startStack();
});

afterEach(async () => {
  await Promise.all(cases.splice(0).map((each) => each.close()));
});

afterAll(async () => {
  await stack?.stop();
});

/** A pod with exchanges and topics of its own. */
class Case {
  readonly prefix: string;
  readonly simulators: readonly Simulator[];
  private readonly flags: readonly string[];
  private started: Pod | undefined;

  private constructor(prefix: string, simulators: readonly Simulator[], flags: readonly string[]) {
    this.prefix = prefix;
    this.simulators = simulators;
    this.flags = flags;
  }

  static async provisioned(
    prefix: string,
    market: Omit<SimulatorOptions, 'exchange'>,
    flags: readonly string[] = [],
  ): Promise<Case> {
    const made = new Case(prefix, await startSimulators(market), flags);
    cases.push(made);
    await provision(made.podOptions);
    return made;
  }

  get podOptions() {
    return { stack, simulators: this.simulators, prefix: this.prefix, flags: this.flags };
  }

  get pod(): Pod {
    return this.started!;
  }

  async start(): Promise<void> {
    this.started = await startPod(this.podOptions);
  }

  async settled(): Promise<void> {
    await this.pod.until('all subscriptions are settled', ({ ready }) => ready);
  }

  async moreTicks(count: number): Promise<void> {
    const goal = ticksWritten(this.simulators) + count;
    await eventually(`${count} more ticks`, () => ticksWritten(this.simulators) >= goal);
  }

  /** The pod has left the exchanges: it has received all that was written. */
  async socketsClosed(): Promise<void> {
    const open = () => this.simulators.some((each) => each.stats().connections.open > 0);
    await eventually('no socket is open', () => !open());
  }

  terminate(): void {
    process.kill(this.pod.process.pid, 'SIGTERM');
  }

  async exitCode(): Promise<number | null> {
    return (await this.pod.process.ended).code;
  }

  /** The first line of the log with this event. */
  logged(event: string): Record<string, unknown> | undefined {
    return this.pod.log().find((line) => line.event === event);
  }

  async close(): Promise<void> {
    this.started?.process.kill();
    await Promise.all(this.simulators.map((simulator) => simulator.close()));
  }
}

/** What lies in the topics although the pod could not finish: right, and as much as it owned up to. */
async function expectNoMoreLostThanSaid(of: Case, said: number): Promise<void> {
  const channels = await readBack(stack, of.simulators, of.prefix);
  expect(mistakesOf(channels)).toEqual([]);
  expect(matchedIn(channels)).toBeGreaterThan(RATE / 2);
  const missing = channels.reduce((sum, each) => sum + each.missing.length, 0);
  expect(missing).toBeGreaterThan(RATE / 2);
  // What was on its way when the broker went may have been written without an acknowledgement.
  expect(said).toBeGreaterThanOrEqual(missing);
}

describe('SIGTERM', () => {
  it('under load: exit 0, and all that was written before we unsubscribed is in the topics', async () => {
    const load = await Case.provisioned('load.', { symbols: 50, rate: RATE });
    await load.start();
    await load.settled();
    await load.moreTicks(2 * RATE);
    load.terminate();
    // The markets go on meanwhile: what they make after the unsubscription is written to nobody.
    expect(await load.exitCode()).toBe(0);
    expect(load.logged('stopped')).toMatchObject({ message: 'everything was acknowledged' });
    for (const simulator of load.simulators) {
      expect(simulator.stats()).toMatchObject({ running: true, subscriptions: 0 });
      // Kraken's listing had a connection of its own.
      const fed = simulator.connections.filter((each) => each.subscriptions.some(({ channel }) => channel));
      expect(fed.map(({ end, endDetail }) => `${end}: ${endDetail}`)).toEqual([
        'client-closed: close code 1000',
      ]);
    }
    stopMarkets(load.simulators);
    const channels = await readBack(stack, load.simulators, load.prefix);
    expect(troublesOf(channels)).toEqual([]);
    expect(matchedIn(channels)).toBeGreaterThan(2 * RATE);
  });

  it('while Kafka is away: exit 1 after the budget, at once when it comes twice, 0 when Kafka returns in time', async () => {
    const part = { symbols: 50, rate: RATE / 2 };
    const patient = await Case.provisioned('patient.', part, ['--drainBudgetMs=1500']);
    const hurried = await Case.provisioned('hurried.', part, ['--drainBudgetMs=600000']);
    const lucky = await Case.provisioned('lucky.', part, ['--drainBudgetMs=600000']);
    for (const each of [patient, hurried, lucky]) {
      await each.start();
      await each.settled();
      await each.moreTicks(RATE);
    }
    await stack.broker(0).stop('SIGKILL');
    try {
      await Promise.all([patient, hurried, lucky].map((each) => each.moreTicks(RATE)));
      lucky.terminate();
      // Nothing is under way on its sockets: what it received is what was written.
      stopMarkets(patient.simulators);
      patient.terminate();
      expect(await patient.exitCode()).toBe(1);
      hurried.terminate();
      await hurried.socketsClosed();
      hurried.terminate();
      expect(await hurried.exitCode()).toBe(1);
    } finally {
      await stack.broker(0).start();
    }

    expect(await lucky.exitCode()).toBe(0);
    expect(troublesOf(await readBack(stack, lucky.simulators, lucky.prefix))).toEqual([]);

    const draining = patient.logged('draining')!;
    const stopped = patient.logged('stopped')!;
    const took = Date.parse(String(stopped.timestamp)) - Date.parse(String(draining.timestamp));
    expect(took).toBeGreaterThanOrEqual(1_500);
    expect(stopped).toMatchObject({
      level: 'error',
      message: expect.stringMatching(/^\d+ records were not acknowledged within drainBudgetMs$/),
    });
    await expectNoMoreLostThanSaid(patient, (stopped.data as { lost: number }).lost);

    const output = readFileSync(hurried.pod.process.logFile, 'utf8');
    const [, said] = /^SIGTERM again: ended at once, (\d+) records were not acknowledged$/m.exec(output)!;
    expect(hurried.logged('stopped')).toBeUndefined();
    await expectNoMoreLostThanSaid(hurried, Number(said));
  });

  it('with a full queue: what was shed until the end is told, too', async () => {
    const flags = [`--kafka.queueBytes=${BRIM}`, '--maxPauseMs=100', '--drainBudgetMs=600000'];
    const brim = await Case.provisioned('brim.', { symbols: 100, rate: RATE }, flags);
    await brim.start();
    await brim.settled();
    await stack.broker(0).stop('SIGKILL');
    try {
      await brim.pod.until('trades are shed', ({ sinks }) => sinks[0]!.dropped > 2_000);
      brim.terminate();
      await brim.socketsClosed();
    } finally {
      await stack.broker(0).start();
    }
    expect(await brim.exitCode()).toBe(0);
    const channels = await readBack(stack, brim.simulators, brim.prefix);
    expect(mistakesOf(channels)).toEqual([]);
    const trades = channels.filter(({ channel }) => channel === 'trades');
    const quotes = channels.filter(({ channel }) => channel === 'quotes');
    expect(holesOf(quotes.flatMap(({ records }) => records))).toEqual([]);
    for (const { written, read } of symbolsOf(quotes)) expect(read.at(-1)!.sequence).toBe(written.length);
    const missing = runsMissing(trades);
    expect(missing.length).toBeGreaterThan(100);
    expect(runsTold(await readRecords(stack, 'status', brim.prefix))).toEqual(missing);
  });
});

describe('the start', () => {
  it('waits for a Kafka that is away, ends when told to, and runs when Kafka is there', async () => {
    const late = await Case.provisioned('late.', { symbols: 20, rate: 2_000, start: 'manual' });
    await stack.broker(0).stop('SIGKILL');
    try {
      await late.start();
      await eventually('it waits for Kafka', () => late.logged('kafka-unreachable'));
      const { phase, ready, notReady } = await late.pod.status();
      expect({ phase, ready, notReady }).toMatchObject({ phase: 'starting', ready: false });
      expect(notReady).toMatch(/not settled/);
      late.terminate();
      expect(await late.exitCode()).toBe(0);
      await late.start();
      await eventually('it waits for Kafka', () => late.logged('kafka-unreachable'));
    } finally {
      await stack.broker(0).start();
    }
    await late.settled();
    startMarkets(late.simulators);
    await late.moreTicks(4_000);
    stopMarkets(late.simulators);
    expect(await late.pod.stop()).toBe(0);
    const channels = await readBack(stack, late.simulators, late.prefix);
    expect(troublesOf(channels)).toEqual([]);
    expect(matchedIn(channels)).toBeGreaterThan(4_000);
  });

  it.each([
    [['--kafka.queueBites=1'], /kafka\.queueBites.*kafka\.queueBytes/],
    [['--shard.index=7'], /shard\.index/],
    [['--exchanges.binance.symbols=BTCUSDT'], /exchanges\.binance\.symbols/],
  ])('is refused with %j: exit 2, and the key is named', (flags, named) => {
    const run = spawnSync(
      process.execPath,
      [
        'services/ingestor/src/main.ts',
        'run',
        ...podFlags({ stack, simulators: [] }),
        '--shard.index=0',
        '--exchanges.kraken.symbols=BTC-USD',
        ...flags,
      ],
      { cwd: repositoryRoot, encoding: 'utf8', timeout: 60_000 },
    );
    expect(run.stderr).toMatch(named);
    expect(run.status).toBe(2);
  });
});
