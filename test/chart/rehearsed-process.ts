import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The process of a container, with the container's environment and nothing of ours but PATH. */
export interface RehearsedProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  /** Undefined while it runs. */
  readonly end: ProcessEnd | undefined;
  /** All that it has written so far, both standard output and error. */
  output(): string;
  signal(name: NodeJS.Signals): void;
}

export interface ProcessStart {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const setpriv = '/usr/bin/setpriv';
const running = new Set<ChildProcess>();

// However the tests end, what they started ends with them.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a container's command as a process, without a shell. */
export function startProcess({ command, folder, environment, logFile }: ProcessStart): RehearsedProcess {
  const log = openSync(logFile, 'a');
  // On Linux the kernel kills it when we die without a word (kill -9): prctl(2), PR_SET_PDEATHSIG.
  const [program = '', ...args] = existsSync(setpriv)
    ? [setpriv, '--pdeathsig', 'KILL', ...command]
    : command;
  const child = spawn(program, args, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  running.add(child);
  let end: ProcessEnd | undefined;
  const ended = new Promise<ProcessEnd>((resolve) => {
    const finish = (how: ProcessEnd): void => {
      end ??= how;
      running.delete(child);
      resolve(end);
    };
    child.once('exit', (code, signal) => finish({ code, signal }));
    child.once('error', () => finish({ code: null, signal: null }));
  });
  return {
    pid: child.pid ?? -1,
    ended,
    get end() {
      return end;
    },
    output: () => readFileSync(logFile, 'utf8'),
    signal: (name) => void child.kill(name),
  };
}
