import { randomBytes } from 'node:crypto';
import {
  EXCHANGES,
  type PodStatus,
  type RecordTopic,
  type SinkStatus,
  type TickChannel,
} from '@tickline/schemas';
import { type Config, type ExchangeConfig, isPattern, limitsSharedBy, symbolMatcher } from './config.ts';
import { ExchangeRunner } from './exchange-runner.ts';
import type { Exchange } from './exchanges/exchange.ts';
import { exchanges } from './exchanges/registry.ts';
import { Backpressure } from './pipeline/backpressure.ts';
import type { PipelineOutputs } from './pipeline/exchange-pipeline.ts';
import { StatusRecords } from './pipeline/status-records.ts';
import { tickEncoders } from './pipeline/tick-encoder.ts';
import { assignmentOf } from './sharding/assignment.ts';
import { ownersBy, podCount } from './sharding/ownership.ts';
import { FanOut } from './sinks/fan-out.ts';
import type { Sink, SinkListener, SinkLoss, StreamDescriptor, TickFormat } from './sinks/sink.ts';
import type { DirectoryEntry } from './sinks/sink-context.ts';
import { AcknowledgementDelays } from './telemetry/acknowledgement-delays.ts';
import { DrainOutcome } from './telemetry/drain-outcome.ts';
import { IntervalQuantiles } from './telemetry/interval-quantiles.ts';
import type { Logger } from './telemetry/logger.ts';
import type { MetricsSources } from './telemetry/metrics.ts';
import type { Health, StatusSource } from './telemetry/status-server.ts';

/** Interval of the latencies that the status tells. */
const LATENCY_INTERVAL_MS = 10_000;
/** Subscriptions that are listed by name in the status; more are only counted. */
const MAX_NOT_LIVE = 1_000;

/** The configuration can't be run: nothing valid is left, or `strict` is set and something is not valid. */
export class NothingToRunError extends Error {
  override name = 'NothingToRunError';
}

/** Ids of the registered schemas. */
export type SchemaIds = Readonly<Record<RecordTopic, number>>;

/** What an ingestor is made of. */
export interface IngestorOptions {
  readonly config: Config;
  readonly sinks: readonly Sink[];
  /** Asks the registry, however long that takes; called when some sink wants Avro. Null: stopped meanwhile. */
  readonly schemaIds: () => Promise<SchemaIds | null>;
  readonly logger: Logger;
  readonly version: string;
}

/** One pod: all exchanges of a shard, and the sinks that their ticks go to. */
export class Ingestor implements StatusSource, MetricsSources {
  readonly producer: string = randomBytes(6).toString('hex');
  readonly version: string;
  readonly shard: { readonly index: number; readonly count: number };
  /** Short hash of all of the configuration that decides who owns what. */
  readonly assignment: string;
  /** Pods that the configuration asks for, one a shard. */
  readonly shardsConfigured: number;
  readonly drainOutcome: DrainOutcome = new DrainOutcome();
  private readonly config: Config;
  private readonly logger: Logger;
  private readonly fanOut: FanOut;
  private readonly runners: ExchangeRunner[];
  private readonly latencies: Map<ExchangeRunner, IntervalQuantiles>;
  private readonly delays: AcknowledgementDelays;
  private readonly backpressure: Backpressure;
  private readonly stopping = new AbortController();
  private readonly startedAt = Date.now();
  private readonly statusRecords: StatusRecords;
  /** Null: no sink wants Avro. */
  private readonly resolveSchemaIds: IngestorOptions['schemaIds'] | null;
  private schemaIds: SchemaIds | null = null;
  private phase: PodStatus['phase'] = 'starting';
  private wasReady = false;

  constructor(options: IngestorOptions) {
    const { config, logger } = options;
    this.config = config;
    this.logger = logger.child({ producer: this.producer });
    this.version = options.version;
    this.shard = { index: config.shard.index, count: config.shard.count };
    this.assignment = assignmentOf(config);
    this.shardsConfigured = podCount(config.shard);
    this.fanOut = new FanOut(options.sinks);
    const { formats } = this.fanOut;
    const open = (descriptor: StreamDescriptor, format: TickFormat) => this.fanOut.stream(descriptor, format);
    const schemaIdOf = (topic: RecordTopic): number => {
      if (this.schemaIds === null)
        throw new Error('a record was to be written before the schema ids were known');
      return this.schemaIds[topic];
    };
    this.statusRecords = new StatusRecords(formats, schemaIdOf, this.producer, (descriptor, format) =>
      this.fanOut.streams(descriptor, format),
    );
    this.resolveSchemaIds = formats.has('avro') ? options.schemaIds : null;
    const outputs: PipelineOutputs = {
      open,
      deadLetter: (letter) => this.fanOut.deadLetter(letter),
      status: this.statusRecords,
      refusingSink: this.fanOut.refusingSink,
      encoders: tickEncoders(formats, schemaIdOf),
      producer: this.producer,
    };
    this.runners = EXCHANGES.flatMap((name) => {
      const own = config.exchanges[name];
      return own === undefined ? [] : [this.runnerOf(exchanges[name], own, outputs)];
    });
    this.latencies = new Map(
      this.runners.map((runner) => [
        runner,
        new IntervalQuantiles(runner.counters.latency, LATENCY_INTERVAL_MS, performance.now()),
      ]),
    );
    this.delays = new AcknowledgementDelays(LATENCY_INTERVAL_MS);
    this.backpressure = new Backpressure(
      () => this.runners.flatMap(({ feed }) => (feed === null ? [] : [feed])),
      config.maxPauseMs,
    );
  }

  /**
   * Resolves the schema ids, connects the sinks, then opens every exchange. Resolves when all listings were read
   * and all feeds started. Rejects when the registry or a sink refuses its settings, or NothingToRunError.
   */
  async start(): Promise<void> {
    if (this.resolveSchemaIds !== null) {
      this.schemaIds = await this.resolveSchemaIds();
      // A sink that was started now would never be closed.
      if (this.schemaIds === null || this.stopping.signal.aborted) return;
    }
    await this.fanOut.start((sink) => this.listenerOf(sink));
    if (this.stopping.signal.aborted) return;
    this.phase = 'running';
    const started = await Promise.all(this.runners.map((runner) => runner.start()));
    if (this.stopping.signal.aborted) return;
    const unlisted = started.flatMap((each, index) =>
      (each?.unlisted ?? []).map((symbol) => `${this.runners[index]!.name}:${symbol}`),
    );
    if (this.config.strict && unlisted.length > 0) {
      throw new NothingToRunError(`strict is set and the exchanges do not list ${unlisted.join(', ')}`);
    }
    if (started.every((each) => each === null || each.listed === 0)) {
      throw new NothingToRunError(
        unlisted.length > 0
          ? `nothing is left to run: the exchanges list none of ${unlisted.join(', ')}`
          : `nothing to run: shard ${this.shard.index} of ${this.shard.count} owns no symbol; see \`plan\``,
      );
    }
  }

  /**
   * Unsubscribes, closes all sockets, and waits until everything is acknowledged, within the budget.
   * Resolves with what is left unacknowledged: 0 is a clean end.
   */
  async stop(budgetMs: number): Promise<number> {
    const deadline = performance.now() + budgetMs;
    this.phase = 'draining';
    this.stopping.abort();
    this.backpressure.release();
    // Sockets get at most half: what they brought must still be acknowledged.
    await Promise.all(this.runners.map(({ feed }) => feed?.stop(budgetMs / 2)));
    for (const { pipeline } of this.runners) pipeline?.closeShed();
    await this.flush(deadline);
    const left = this.unacknowledged();
    this.drainOutcome.ended(left);
    await this.fanOut.close();
    return left;
  }

  /** Records that are queued, wait for room in a queue, or are on their way. */
  unacknowledged(): number {
    return this.queued() + this.statusRecords.waiting;
  }

  private queued(): number {
    return this.fanOut.status().reduce((sum, sink) => sum + sink.queuedRecords, 0);
  }

  /** A flush makes room for records that waited for it, and those are to be flushed in turn. */
  private async flush(deadline: number): Promise<void> {
    do {
      const flushed = await this.fanOut.flush(Math.max(0, deadline - performance.now()));
      if (!flushed) return;
    } while (this.statusRecords.retry() > 0 || this.queued() > 0);
  }

  // For the sinks.

  /** Every symbol of the configuration that its exchange lists, whoever owns it. */
  directory(): readonly DirectoryEntry[] {
    return this.runners.flatMap(({ directory }) => directory);
  }

  /** Listings are read once: each that is there is a change. */
  directoryVersion(): number {
    return this.runners.filter(({ pipeline }) => pipeline !== null).length;
  }

  // For the status server.

  status(): PodStatus {
    const cpu = process.cpuUsage();
    const now = performance.now();
    const ready = this.ready();
    return {
      version: this.version,
      producer: this.producer,
      pid: process.pid,
      startedAt: this.startedAt,
      now: Date.now(),
      phase: this.phase,
      shard: this.shard,
      assignment: this.assignment,
      ready: ready.ok,
      notReady: ready.ok ? null : ready.reason,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      rssBytes: process.memoryUsage.rss(),
      exchanges: this.runners.map((runner) => ({
        exchange: runner.name,
        owned: runner.owned,
        messages: runner.counters.messageTotal,
        ticks: runner.counters.tickTotal,
        invalid: runner.counters.invalidTotal,
        gaps: runner.counters.gapTotal,
        reconnects: runner.feed?.reconnects() ?? 0,
        latencyMs: this.latencies.get(runner)!.read(now),
        waitingFor: runner.waitingFor,
        units: runner.units(),
      })),
      connections: this.runners.flatMap(({ feed }) => feed?.connections() ?? []),
      notLive: this.runners.flatMap((runner) => runner.notLive()).slice(0, MAX_NOT_LIVE),
      sinks: this.delays.with(this.fanOut.status(), this.fanOut.readings(), now),
    };
  }

  live(): Health {
    return { ok: true, reason: 'the event loop turns' };
  }

  ready(): Health {
    if (this.phase === 'draining') return { ok: false, reason: 'the pod drains' };
    if (this.isReady()) return { ok: true, reason: 'all subscriptions were settled and the sinks answered' };
    if (this.resolveSchemaIds !== null && this.schemaIds === null) {
      return { ok: false, reason: 'the schema registry (registry.url) has not given the schema ids' };
    }
    const waiting = this.runners.filter((runner) => !runner.settled()).map(({ name }) => name);
    return {
      ok: false,
      reason:
        waiting.length > 0
          ? `subscriptions of ${waiting.join(', ')} are not settled`
          : 'a sink does not answer',
    };
  }

  // For the metrics.

  exchanges() {
    return this.runners;
  }

  sinks() {
    return this.fanOut.readings();
  }

  sinkHealth() {
    return this.fanOut.status();
  }

  statusRecordsRefused(): number {
    return this.statusRecords.refused;
  }

  /** Latched: silence later on is an alarm, never a reason to take the pod out. */
  private isReady(): boolean {
    this.wasReady ||=
      this.phase === 'running' &&
      this.runners.every((runner) => runner.settled()) &&
      this.neededSinks().every((sink) => sink.healthy);
    return this.wasReady;
  }

  /** Kafka, where it is configured: an output beside it that is away must not hold up a rollout. Else all. */
  private neededSinks(): readonly SinkStatus[] {
    const sinks = this.fanOut.status();
    const kafka = sinks.filter(({ sink }) => sink === 'kafka');
    return kafka.length > 0 ? kafka : sinks;
  }

  private runnerOf(exchange: Exchange, config: ExchangeConfig, outputs: PipelineOutputs): ExchangeRunner {
    const owners = ownersBy(this.config.shard);
    return new ExchangeRunner({
      exchange,
      config,
      limitsSharedBy: limitsSharedBy(this.config),
      owners: (symbol) => owners(`${exchange.name}:${symbol}`),
      shard: this.config.shard.index,
      wanted: symbolMatcher(config.symbols),
      named: config.symbols.filter((symbol) => !isPattern(symbol)),
      outputs,
      logger: this.logger,
      signal: this.stopping.signal,
    });
  }

  private listenerOf(sink: string): SinkListener {
    return {
      full: () => {
        this.logger.warn('queue-full', `the queue of ${sink} is full: sockets are paused`, { sink });
        this.backpressure.sinkFull(sink);
      },
      drained: () => {
        this.logger.info('queue-drained', `the queue of ${sink} has room again`, { sink });
        this.backpressure.sinkDrained(sink);
        this.statusRecords.retry();
      },
      lost: (stream, loss) => this.sinkEvent(sink, 'gap', stream, loss),
      repeated: (stream, repeat) => this.sinkEvent(sink, 'repeated', stream, repeat),
    };
  }

  private sinkEvent(sink: string, state: 'gap' | 'repeated', stream: StreamDescriptor, loss: SinkLoss): void {
    const { exchange, symbol, channel } = stream;
    const event = state === 'gap' ? 'records-lost' : 'records-repeated';
    // A topic that is taken from us speaks for thousands of streams at once: each has its record.
    if (this.logger.admits(event, exchange)) {
      this.logger.warn(event, loss.reason, {
        sink,
        exchange,
        symbol,
        channel,
        data: { count: loss.count, firstSequence: loss.firstSequence, lastSequence: loss.lastSequence },
      });
    }
    // A status record about a status record would never end.
    if (stream.topic === 'status') return;
    const runner = this.runners.find(({ name }) => name === exchange);
    runner?.pipeline?.sinkEvent(sink, state, channel as TickChannel, symbol, loss);
  }
}
