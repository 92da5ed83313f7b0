import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from './wait-until.ts';

/** How a server is told to end: asked to, or killed like a machine that loses power. */
export type StopSignal = 'SIGTERM' | 'SIGKILL';

/** One server of the stack: a broker or the registry. */
export interface Server {
  /** `kafka-1` … or `registry`. */
  readonly name: string;
  /** Process id while it runs from jars; `undefined` when stopped, and always in a container. */
  readonly pid: number | undefined;
  /** Where its log goes when it runs from jars. */
  readonly logFile: string;
  /** Starts it, again on the same port and data, and resolves when it answers. Throws with its last log lines. */
  start(): Promise<void>;
  /**
   * Ends it and resolves when it is gone. SIGTERM (the default) is followed by SIGKILL when it has not ended
   * after 20 s. Does nothing when it is stopped.
   */
  stop(signal?: StopSignal): Promise<void>;
}

/** What {@link processServer} needs to know. */
export interface ProcessServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
  /** Answers `true` when the server does; asked again and again. */
  readonly answers: () => Promise<boolean>;
  /** How long it may take to answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives up waiting when aborted. */
  readonly signal: AbortSignal | undefined;
  /** Done before every start. */
  readonly prepare: () => Promise<void>;
  /** Called when the process is there, after every start. */
  readonly onStarted: () => void;
}

const termGraceMs = 20_000;
const setpriv = '/usr/bin/setpriv';
const running = new Set<ChildProcess>();

// The last net under everything else: however this process ends by itself, its servers end with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A server that is a child process in a group of its own, so that a terminal's Ctrl-C reaches only us and
 * servers are stopped in order.
 */
export function processServer(options: ProcessServerOptions): Server {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  // From the call of start() until the process ends or stop() is called: start() may still be preparing.
  let wanted = false;

  const start = async (): Promise<void> => {
    if (wanted || child !== undefined) throw new Error(`${options.name} is running already`);
    wanted = true;
    try {
      options.signal?.throwIfAborted();
      await options.prepare();
      options.signal?.throwIfAborted();
    } catch (error) {
      wanted = false;
      throw error;
    }
    if (!wanted) throw new Error(`${options.name} was stopped while it started`);
    mkdirSync(dirname(options.logFile), { recursive: true });
    const log = openSync(options.logFile, 'a');
    // On Linux the kernel kills the server when we die without a word (kill -9): prctl(2), PR_SET_PDEATHSIG.
    const [command, ...args] = existsSync(setpriv)
      ? [setpriv, '--pdeathsig', 'KILL', options.command, ...options.args]
      : [options.command, ...options.args];
    const started = spawn(command as string, args, {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child = started;
    running.add(started);
    let ended: string | undefined;
    gone = new Promise((resolve) => {
      const end = (how: string): void => {
        ended = how;
        running.delete(started);
        child = undefined;
        wanted = false;
        resolve();
      };
      started.once('exit', (code, signal) => end(`it ended with ${signal ?? `exit code ${code}`}`));
      started.once('error', (error) => end(error.message));
    });
    if (started.pid !== undefined) options.onStarted();
    try {
      const answered = await waitUntil(
        async () => ended !== undefined || (await options.answers()) || undefined,
        { what: `${options.name} to answer`, timeoutMs: options.timeoutMs, signal: options.signal },
      );
      if (answered && ended !== undefined) throw new Error(`${options.name} did not start: ${ended}`);
    } catch (error) {
      started.kill('SIGKILL');
      await gone;
      if (options.signal?.aborted === true) throw options.signal.reason;
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}. The last lines of ${options.logFile}:\n` +
          lastLines(options.logFile, 20),
      );
    }
  };

  const stop = async (signal: StopSignal = 'SIGTERM'): Promise<void> => {
    wanted = false;
    const stopping = child;
    if (stopping === undefined) return;
    stopping.kill(signal);
    if (signal === 'SIGTERM') {
      const late = new AbortController();
      const grace = delay(termGraceMs, undefined, { signal: late.signal }).then(
        () => void stopping.kill('SIGKILL'),
        () => undefined,
      );
      await gone;
      late.abort();
      await grace;
    }
    await gone;
  };

  return {
    name: options.name,
    logFile: options.logFile,
    get pid() {
      return child?.pid;
    },
    start,
    stop,
  };
}

/** The last lines of a file, as a server's log is shown in errors. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no log)';
  }
}
