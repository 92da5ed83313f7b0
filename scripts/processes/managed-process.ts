import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repositoryRoot } from '../stack/paths.ts';
import { lastLines } from '../stack/server.ts';
import { waitUntil } from '../stack/wait-until.ts';

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that ended before it was told to. */
export class ProcessDiedError extends Error {
  override name = 'ProcessDiedError';
}

/** One Node process that we started: its output goes to a file, its JSON log lines are read from there. */
export interface ManagedProcess {
  /** As people know it: `ingestor pod 0`. */
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when it is gone. */
  readonly ended: Promise<ProcessEnd>;
  /** Whether it is gone. */
  readonly hasEnded: boolean;
  /** The first JSON log line that fits; rejects when the process ends before, or after `timeoutMs`. */
  line<T>(
    fits: (line: Record<string, unknown>) => T | undefined,
    what: string,
    timeoutMs: number,
  ): Promise<T>;
  /** Asks it to end (SIGTERM), kills it when it has not after `graceMs`, and resolves when it is gone. */
  stop(graceMs: number): Promise<ProcessEnd>;
  /** Kills it at once. */
  kill(): void;
  /** An error that says how it ended, with its last log lines. */
  deathNotice(): ProcessDiedError;
}

const setpriv = '/usr/bin/setpriv';
const running = new Set<ChildProcess>();

// The last net under everything else: however we end by ourselves, what we started ends with us.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts `node args…` in a process group of its own, so that a terminal's Ctrl-C reaches only us and the parts
 * are stopped in order.
 * @param logFile where its standard output and error go
 * @param signal no more waiting for log lines when aborted
 */
export function startNode(
  name: string,
  args: readonly string[],
  logFile: string,
  signal: AbortSignal,
): ManagedProcess {
  signal.throwIfAborted();
  const log = openSync(logFile, 'a');
  const node = [process.execPath, '--disable-warning=TimeoutNegativeWarning', ...args];
  // On Linux the kernel kills it when we die without a word (kill -9): prctl(2), PR_SET_PDEATHSIG.
  const [command, ...rest] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', ...node] : node;
  const child = spawn(command as string, rest, {
    cwd: repositoryRoot,
    detached: true,
    env: ownEnvironment(),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  running.add(child);

  let end: ProcessEnd | undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    const finish = (how: ProcessEnd): void => {
      if (end !== undefined) return;
      end = how;
      running.delete(child);
      resolve(how);
    };
    child.once('exit', (code, by) => finish({ code, signal: by }));
    child.once('error', () => finish({ code: null, signal: null }));
  });

  const deathNotice = (): ProcessDiedError => {
    const how =
      end === undefined
        ? 'still runs'
        : (end.signal ?? end.code) === null
          ? 'could not be started'
          : `ended with ${end.signal ?? `exit code ${end.code}`}`;
    return new ProcessDiedError(
      `the ${name} ${how}. The last lines of ${logFile}:\n${lastLines(logFile, 15)}`,
    );
  };

  return {
    name,
    pid: child.pid ?? -1,
    logFile,
    ended,
    get hasEnded() {
      return end !== undefined;
    },
    deathNotice,
    kill: () => void child.kill('SIGKILL'),
    async line(fits, what, timeoutMs) {
      const found = await waitUntil(
        async () => {
          // Asked before the file is read: what a dying process wrote last is still found.
          const gone = end !== undefined;
          for (const line of jsonLines(logFile)) {
            const fit = fits(line);
            if (fit !== undefined) return { fit };
          }
          return gone ? 'gone' : undefined;
        },
        { what: `the ${name} (log: ${basename(logFile)}) ${what}`, timeoutMs, everyMs: 50, signal },
      );
      if (found === 'gone') throw deathNotice();
      return found.fit;
    },
    async stop(graceMs) {
      if (end !== undefined) return end;
      child.kill('SIGTERM');
      const late = new AbortController();
      const grace = delay(graceMs, undefined, { signal: late.signal }).then(
        () => void child.kill('SIGKILL'),
        () => undefined,
      );
      const how = await ended;
      late.abort();
      await grace;
      return how;
    },
  };
}

/** Without TICKLINE_…: a configuration in the caller's environment is meant for other pods and would win over our files. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TICKLINE_')));
}

/** The lines of a log that are JSON objects; the rest is skipped. */
function* jsonLines(file: string): Generator<Record<string, unknown>> {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      yield JSON.parse(line) as Record<string, unknown>;
    } catch {
      // The line is still being written: it is read again.
    }
  }
}
