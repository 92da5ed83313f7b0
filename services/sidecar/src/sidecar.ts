import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { poll } from './poller.ts';
import { json, type RunningServer, startServer } from './server.ts';
import { type Instant, type SidecarStatus, View } from './view.ts';

export type { IngestorState, Restart, SidecarStatus } from './view.ts';

/** A sidecar that polls and serves. */
export interface Sidecar {
  /** Where it serves, without path. */
  readonly url: string;
  /** Stops polling and serving. */
  stop(): Promise<void>;
}

/** Starts a sidecar. Rejects with a sentence when it can't listen; whatever the ingestor does, it goes on. */
export async function startSidecar(config: Config, version: string, logger: Logger): Promise<Sidecar> {
  const startedAt = Date.now();
  const view = new View(config.ingestor.restartedMs, readClocks());
  const registry = createMetrics(view, version, readClocks);
  const ingestor = () => ({ state: view.state, since: view.since, reason: view.reason });

  const status = (): SidecarStatus => {
    const now = readClocks();
    return {
      now: now.wall,
      startedAt,
      version,
      ingestor: {
        ...ingestor(),
        restarts: view.restarts,
        lastRestart: view.lastRestart,
        lastAnswerAt: view.lastAnswerAt,
        ageSeconds: view.ageSeconds(now),
        reconnects: view.reconnects(),
        status: view.status,
      },
    };
  };

  const server: RunningServer = await startServer({
    host: config.listen.host,
    port: config.listen.port,
    routes: {
      // The sidecar's own health: an ingestor that hangs is no reason to restart the one who says so.
      '/healthz': () => json(200, { healthy: true, version, ingestor: ingestor() }),
      '/status': () => json(200, status()),
      '/metrics': async () => ({
        status: 200,
        contentType: registry.contentType,
        body: await registry.metrics(),
      }),
    },
    failed: (path, error) => {
      logger.log('error', 'answer-failed', `${path} could not be answered`, { reason: String(error) });
    },
  });
  logger.log('info', 'listening', `the sidecar serves ${server.url}`, {
    data: { url: server.url, ingestor: config.ingestor.url.href, version },
  });

  const stopping = new AbortController();
  const polling = keepPolling(config, view, logger, stopping.signal);
  return {
    url: server.url,
    stop: async () => {
      stopping.abort();
      await Promise.all([polling, server.close()]);
    },
  };
}

/** Asks again and again until the signal, one question at a time, `pollMs` from one to the next. */
async function keepPolling(config: Config, view: View, logger: Logger, signal: AbortSignal): Promise<void> {
  const { url, pollMs, timeoutMs } = config.ingestor;
  while (!signal.aborted) {
    const askedAt = performance.now();
    try {
      const outcome = await poll({ url, timeoutMs, signal });
      if (view.apply(outcome, readClocks())) {
        const level = view.answers ? 'info' : 'warn';
        logger.log(level, 'ingestor-state', `the ingestor’s state is now ${view.state}`, {
          reason: view.reason,
        });
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.log('error', 'poll-failed', 'a poll could not be judged', { reason: String(error) });
    }
    await pause(Math.max(0, askedAt + pollMs - performance.now()), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

function readClocks(): Instant {
  return { wall: Date.now(), monotonic: performance.now() };
}
