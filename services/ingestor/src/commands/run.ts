import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { PodStatus } from '@tickline/schemas';
import {
  type Config,
  ConfigError,
  configHelp,
  loadConfig,
  readCommandLine,
  redact,
  secretsOf,
} from '../config.ts';
import { FeedOptionsError } from '../feed/feed.ts';
import { Ingestor, NothingToRunError, type SchemaIds } from '../ingestor.ts';
import { AmbiguousSymbolError } from '../pipeline/wanted-units.ts';
import { RegistryLoginError, RegistryTlsError } from '../registry-client.ts';
import { resolveSchemaIds, SchemasMissingError } from '../schema-ids.ts';
import { createSinks } from '../sinks/registry.ts';
import { type Sink, SinkRefusedError } from '../sinks/sink.ts';
import type { DirectoryEntry, SinkContext } from '../sinks/sink-context.ts';
import type { HttpListener } from '../telemetry/http-listener.ts';
import { LogLevelSwitch } from '../telemetry/log-level-switch.ts';
import { createLogger, type Logger, type RootLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { KnownSecrets } from '../telemetry/redactor.ts';
import { startMetricsServer, startStatusServer } from '../telemetry/status-server.ts';

const HELP = `tickline-ingestor run: run one shard until SIGTERM

  tickline-ingestor run --config FILE [--config FILE …] [--shard.index=N] [--KEY=VALUE …]

Logs JSON lines to standard output. The line with event "listening" has the addresses of the status
and the metrics server. SIGUSR2 turns the log level debug on and off. SIGTERM (or SIGINT) unsubscribes and waits until everything is acknowledged,
at most drainBudgetMs; a second one ends at once and prints what was lost.

Exit codes: 0 ended by a signal with everything acknowledged; 1 something was lost, or a fault;
2 the configuration is refused.

`;

/** Longest wait between two tries to reach the schema registry at start. */
const MAX_REGISTRY_RETRY_MS = 15_000;

/** The configuration is at fault, though only exchanges, registry or brokers could tell. */
const REFUSALS = [
  NothingToRunError,
  SchemasMissingError,
  RegistryLoginError,
  RegistryTlsError,
  AmbiguousSymbolError,
  FeedOptionsError,
  SinkRefusedError,
] as const;

/** What the command touches of its process. */
export interface RunIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly version: string;
}

/** Makes the sinks that a configuration asks for; the benchmark puts another in their place. */
export type SinkFactory = (config: Config, context: SinkContext) => readonly Sink[];

/** Runs one shard; resolves with the exit code. */
export async function runCommand(
  argv: readonly string[],
  io: RunIo,
  sinks: SinkFactory = createSinks,
): Promise<number> {
  const line = readCommandLine(argv, { help: 'switch' });
  if (line.flags.has('help')) {
    io.stdout.write(`${HELP}${configHelp()}`);
    return 0;
  }
  let config: Config;
  try {
    config = loadConfig(line, io.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
  const secrets = new KnownSecrets(secretsOf(config));
  const logger = createLogger({ level: config.log.level, stream: io.stdout, redact: secrets.redact });
  try {
    return await run(config, io, logger, secrets, sinks);
  } catch (error) {
    logger.error('failed', 'the pod can not run', { error });
    return REFUSALS.some((refusal) => error instanceof refusal) ? 2 : 1;
  } finally {
    await logger.close();
  }
}

async function run(
  config: Config,
  io: RunIo,
  logger: RootLogger,
  secrets: KnownSecrets,
  sinks: SinkFactory,
): Promise<number> {
  logger.debug('configuration', 'the configuration in force', {
    data: { configuration: JSON.stringify(redact(config)) },
  });
  const signals = new StopSignals(io, logger);
  const levels = new LogLevelSwitch(logger);
  const onDebugSignal = () => levels.toggleDebug('SIGUSR2');
  process.on('SIGUSR2', onDebugSignal);
  try {
    const context = new PodContext(config.shard, logger, secrets);
    const made = sinks(config, context);
    const queueBytes = made.reduce((sum, sink) => sum + sink.status().queueLimitBytes, 0);
    logger.info(
      'starting',
      `tickline-ingestor ${io.version}, shard ${config.shard.index} of ${config.shard.count}`,
      {
        data: {
          version: io.version,
          shard: config.shard.index,
          shards: config.shard.count,
          queueBytes,
          memoryBoundBytes: BASE_MEMORY_BYTES + queueBytes,
        },
      },
    );
    const schemaIds = () => schemaIdsOf(config, logger, signals.stop);
    const ingestor = new Ingestor({ config, sinks: made, schemaIds, logger, version: io.version });
    context.pod = ingestor;
    signals.lossOf(() => ingestor.unacknowledged());
    const listeners: HttpListener[] = [];
    try {
      const status = await startStatusServer(config.status, ingestor, secrets.redact, levels, logger);
      listeners.push(status);
      const metrics = await startMetricsServer(config.metrics, createMetrics(ingestor), ingestor, logger);
      listeners.push(metrics);
      logger.info('listening', `status at ${status.url}/status, metrics at ${metrics.url}/metrics`, {
        producer: ingestor.producer,
        data: { statusUrl: status.url, metricsUrl: metrics.url },
      });
      // A stop during the start is not an error: whatever was started is ended below.
      const started = ingestor.start();
      started.catch(() => undefined);
      try {
        await Promise.race([started, signals.stopped]);
      } catch (error) {
        // Some exchanges may run by now, and the records that say what is wrong want to be written.
        await ingestor.stop(config.drainBudgetMs);
        throw error;
      }
      await signals.stopped;
      logger.info('draining', `waiting at most ${config.drainBudgetMs} ms until all is acknowledged`);
      const lost = await ingestor.stop(config.drainBudgetMs);
      if (lost === 0) {
        logger.info('stopped', 'everything was acknowledged');
        return 0;
      }
      logger.error('stopped', `${lost} records were not acknowledged within drainBudgetMs`, {
        data: { lost },
      });
      if (config.drainReportMs > 0) {
        signals.lossOf(() => lost);
        logger.info(
          'drain-report',
          `the metrics stay up until they are scraped, at most ${config.drainReportMs} ms`,
        );
        await ingestor.drainOutcome.told(config.drainReportMs);
      }
      return 1;
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
    }
  } finally {
    process.off('SIGUSR2', onDebugSignal);
    signals.release();
  }
}

/** What sinks may know of the pod, which is made after them. */
class PodContext implements SinkContext {
  readonly shard: SinkContext['shard'];
  readonly log: Logger;
  pod: Ingestor | null = null;
  private readonly secrets: KnownSecrets;

  constructor(shard: Config['shard'], log: Logger, secrets: KnownSecrets) {
    this.shard = { index: shard.index, count: shard.count };
    this.log = log;
    this.secrets = secrets;
  }

  learnSecret(secret: string): void {
    this.secrets.learn(secret);
  }

  directory(): readonly DirectoryEntry[] {
    return this.pod?.directory() ?? [];
  }

  directoryVersion(): number {
    return this.pod?.directoryVersion() ?? 0;
  }

  status(): PodStatus {
    if (this.pod === null) throw new Error('a sink asked for the status before the pod was made');
    return this.pod.status();
  }
}

/**
 * What a pod takes besides its queues, measured with room to spare: the bound of design rule "bounded
 * in bytes" that the start line prints.
 */
export const BASE_MEMORY_BYTES: number = 300 * 1024 * 1024;

/** Ids of the registered schemas, however long the registry is away; null when the pod is stopped meanwhile. */
async function schemaIdsOf(config: Config, logger: Logger, stop: AbortSignal): Promise<SchemaIds | null> {
  let waitMs = 500;
  while (!stop.aborted) {
    try {
      return await resolveSchemaIds(config, stop);
    } catch (error) {
      if (stop.aborted) break;
      if (REFUSALS.some((refusal) => error instanceof refusal)) throw error;
      logger.warn('registry-unreachable', `registry.url gives no schema ids, next try in ${waitMs} ms`, {
        error,
      });
      await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, MAX_REGISTRY_RETRY_MS);
    }
  }
  return null;
}

/** The first signal asks for an orderly end, the second one ends the process at once. */
class StopSignals {
  readonly stopped: Promise<void>;
  readonly stop: AbortSignal;
  private readonly controller = new AbortController();
  private readonly io: RunIo;
  private readonly logger: Logger;
  private loss: () => number = () => 0;

  constructor(io: RunIo, logger: Logger) {
    this.io = io;
    this.logger = logger;
    this.stop = this.controller.signal;
    this.stopped = new Promise((resolve) => this.stop.addEventListener('abort', () => resolve()));
    process.on('SIGTERM', this.onSignal);
    process.on('SIGINT', this.onSignal);
  }

  /** Says how to count what would be lost by ending now. */
  lossOf(loss: () => number): void {
    this.loss = loss;
  }

  release(): void {
    process.off('SIGTERM', this.onSignal);
    process.off('SIGINT', this.onSignal);
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (!this.stop.aborted) {
      this.logger.info('signal', `${signal}: the pod drains and ends; once more ends it at once`);
      this.controller.abort();
      return;
    }
    this.io.stderr.write(`${signal} again: ended at once, ${this.loss()} records were not acknowledged\n`);
    process.exit(1);
  };
}
