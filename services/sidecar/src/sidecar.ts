import { randomBytes } from 'node:crypto';
import { Access } from './access.ts';
import { ActivityHistory } from './activity.ts';
import { type Config, ConfigError } from './config.ts';
import { EventStream } from './event-stream.ts';
import { FailureLimiter } from './failure-limiter.ts';
import { fleetIngestorOf, fleetOf } from './fleet.ts';
import { headlineOf } from './headline.ts';
import { LevelSwitch } from './log-level.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { readPageFiles } from './page-files.ts';
import { Peers } from './peers.ts';
import { poll } from './poller.ts';
import { createRoutes } from './routes.ts';
import { type RunningServer, startServer } from './server.ts';
import { peerCookie } from './session-cookie.ts';
import type { IngestorReport, SidecarStatus } from './sidecar-status.ts';
import type { Fleet, Snapshot } from './snapshot.ts';
import { Timeline } from './timeline.ts';
import { TokenFile, TokenFileError } from './token-file.ts';
import { type Instant, View } from './view.ts';

export type { IngestorState, Restart, SidecarStatus } from './sidecar-status.ts';

/** How much later than planned an event of the page may come before the connection counts as lost. */
const EVENT_SLACK_MS = 2_000;

/** A sidecar that polls and serves. */
export interface Sidecar {
  /** Where it serves, without path. */
  readonly url: string;
  /** Turns the debug level on, or off again. */
  toggleDebug(): void;
  /** Stops polling and serving. */
  stop(): Promise<void>;
}

/**
 * Starts a sidecar. Rejects with a sentence when it can't listen, and with ConfigError when the token file is of no
 * use; whatever the ingestor does, it goes on.
 */
export async function startSidecar(config: Config, version: string, logger: Logger): Promise<Sidecar> {
  const startedAt = Date.now();
  const id = randomBytes(8).toString('hex');
  const tokens = openTokens(config, logger);
  const access = new Access(tokens, new FailureLimiter(), config.listen.host);
  const view = new View(config.ingestor.restartedMs, readClocks());
  const timeline = new Timeline();
  const activity = new ActivityHistory(config.ingestor.pollMs);
  const cookie = () => (tokens === null ? null : peerCookie(tokens.sessionKeys()[0]!, Date.now()));
  const peers = new Peers({ ...config.peers, self: id, cookie });
  const events = new EventStream();
  const level = new LevelSwitch(logger);
  const registry = createMetrics({ view, peers, events, access, version, now: readClocks });

  const report = (now: Instant): IngestorReport => ({
    state: view.state,
    since: view.since,
    reason: view.reason,
    restarts: view.restarts,
    lastRestart: view.lastRestart,
    lastAnswerAt: view.lastAnswerAt,
    ageSeconds: view.ageSeconds(now),
    reconnects: view.reconnects(),
    status: view.status,
  });
  const status = (): SidecarStatus => {
    const now = readClocks();
    return { id, now: now.wall, startedAt, version, ingestor: report(now) };
  };
  const fleet = (): Fleet => {
    const now = readClocks();
    const own = {
      address: null,
      peer: 'answers',
      reason: 'this pod',
      ingestor: fleetIngestorOf(report(now)),
      ageSeconds: 0,
    } as const;
    const told = fleetOf([own, ...peers.pods(now.monotonic)], peers.areConfigured, now.wall);
    const { dnsProblem } = peers;
    return dnsProblem === null ? told : { ...told, problems: [`${dnsProblem}.`, ...told.problems] };
  };
  const snapshot = (): Snapshot => {
    const now = status();
    return {
      status: now,
      headline: headlineOf(now.ingestor),
      activity: activity.read(),
      timeline: timeline.read(),
      fleet: fleet(),
      log: level.read(),
      hasLogin: access.asksForToken,
      nextWithinMs: config.ingestor.pollMs + config.ingestor.timeoutMs + EVENT_SLACK_MS,
    };
  };

  const server: RunningServer = await startServer({
    host: config.listen.host,
    port: config.listen.port,
    routes: createRoutes({
      version,
      access,
      level,
      files: readPageFiles(),
      events,
      registry,
      ingestorUrl: config.ingestor.url,
      status,
      snapshot,
      fleet,
      ingestor: () => report(readClocks()),
      happened: (event, message) => logger.log('info', event, message),
    }),
    failed: (path, error) => {
      logger.log('error', 'answer-failed', `${path} could not be answered`, { reason: String(error) });
    },
  });
  logger.log('info', 'listening', `the sidecar serves ${server.url}`, {
    data: { url: server.url, ingestor: config.ingestor.url.href, token: tokens !== null, version },
  });

  const stopping = new AbortController();
  const askIngestor = async () => {
    const { url, timeoutMs } = config.ingestor;
    const outcome = await poll({ url, timeoutMs, signal: stopping.signal });
    const now = readClocks();
    const entered = view.apply(outcome, now);
    if (outcome.kind === 'answered') timeline.answered(outcome.status, now.wall);
    activity.record(outcome.kind === 'answered' ? outcome.status : null, now.monotonic);
    if (entered) {
      timeline.state(view.state, view.reason, now.wall);
      const reason = view.reason;
      const message = `the ingestor’s state is now ${view.state}`;
      logger.log(view.answers ? 'info' : 'warn', 'ingestor-state', message, { reason });
    }
    // A snapshot may be large: without readers none is made.
    if (events.size > 0) events.send(JSON.stringify(snapshot()));
  };
  const repeating = [
    keepAsking('the ingestor', config.ingestor.pollMs, logger, stopping.signal, askIngestor),
  ];
  if (peers.areConfigured) {
    const askPeers = () => peers.refresh(stopping.signal);
    repeating.push(keepAsking('the peers', config.peers.pollMs, logger, stopping.signal, askPeers));
  }
  return {
    url: server.url,
    toggleDebug: () => level.toggleDebug(),
    stop: async () => {
      stopping.abort();
      events.close();
      await Promise.all([...repeating, server.close()]);
    },
  };
}

function openTokens({ auth }: Config, logger: Logger): TokenFile | null {
  if (auth.tokenFile === null) return null;
  try {
    return new TokenFile(auth.tokenFile, (reason) => {
      logger.log('warn', 'token-file', 'auth.tokenFile is of no use now; its former tokens stay in force', {
        reason,
      });
    });
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new ConfigError(`auth.tokenFile ${auth.tokenFile}: ${error.message}`);
  }
}

/** Asks again and again until the signal, one question at a time, `everyMs` from one to the next. */
async function keepAsking(
  whom: string,
  everyMs: number,
  logger: Logger,
  signal: AbortSignal,
  question: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const askedAt = performance.now();
    try {
      await question();
    } catch (error) {
      if (signal.aborted) return;
      logger.log('error', 'poll-failed', `an answer of ${whom} could not be judged`, {
        reason: String(error),
      });
    }
    await pause(Math.max(0, askedAt + everyMs - performance.now()), signal);
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
