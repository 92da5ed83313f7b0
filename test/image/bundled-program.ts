import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { waitUntil } from '../../scripts/stack/wait-until.ts';

/** Who the image's programs run as. */
const USER = 10001;

const unshare = '/usr/bin/unshare';
const chroot = '/usr/sbin/chroot';

/** How a program of the bundle is started. */
export interface ProgramOptions {
  /** The bundle; or, with `asFirstProcess`, the image's root file system with the bundle at `/app`. */
  readonly folder: string;
  /** In a root of its own and as process 1, as a container does it. Needs {@link canStartAsFirstProcess}. */
  readonly asFirstProcess: boolean;
  /** `services/ingestor/main.js` and what follows. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its output goes here. */
  readonly logFile: string;
}

/** A program of the bundle, run by nothing but Node. */
export interface Program {
  /** Of Node itself, as we see it. */
  readonly pid: number;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** The `data` of the first log line with this event. */
  event(name: string): Promise<Record<string, unknown>>;
  log(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Whether we may make process namespaces and change the root, which takes root on Linux with util-linux. */
export function canStartAsFirstProcess(): boolean {
  return (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    [unshare, chroot].every((file) => existsSync(file))
  );
}

/** Starts a program with an environment of its own, as another user if we may. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { folder, args, env, logFile } = options;
  const log = openSync(logFile, 'a');
  const stdio = ['ignore', log, log] as const;
  const isRoot = process.getuid?.() === 0;
  const child = options.asFirstProcess
    ? spawn(
        unshare,
        // --kill-child: Node ends with unshare, whatever happens to us.
        [
          '--pid',
          '--fork',
          '--kill-child',
          `--mount-proc=${folder}/proc`,
          chroot,
          `--userspec=${USER}:${USER}`,
          folder,
        ].concat(['/usr/local/bin/node', `/app/${args[0]}`], args.slice(1)),
        { env, stdio: [...stdio] },
      )
    : spawn(process.execPath, args, {
        cwd: folder,
        env,
        stdio: [...stdio],
        ...(isRoot ? { uid: USER, gid: USER } : {}),
      });
  closeSync(log);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
    child.once('error', () => resolve(null));
  });
  const read = (): string => readFileSync(logFile, 'utf8');
  const what = (text: string): string => `${args.slice(0, 2).join(' ')} ${text}`;
  const pid = options.asFirstProcess ? await firstChild(child, what('runs')) : child.pid!;
  return {
    pid,
    ended,
    log: read,
    kill: (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(pid, signal);
      } catch (error) {
        // As process 1 of its namespace it may be gone a moment before `unshare` is.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
    async event(name) {
      const found = await waitUntil(
        async () => {
          // Asked before the log is read: what a dying process wrote last is still found.
          const gone = child.exitCode !== null || child.signalCode !== null;
          const line = read()
            .split('\n')
            .find((text) => text.endsWith('}') && text.includes(`"event":"${name}"`));
          if (line !== undefined) return JSON.parse(line) as { readonly data?: Record<string, unknown> };
          return gone ? 'gone' : undefined;
        },
        { what: what(`logs ${name}`), timeoutMs: 60_000, everyMs: 50 },
      );
      if (found === 'gone') throw new Error(`${what('ended')}:\n${read()}`);
      return found.data ?? {};
    },
  };
}

/** The process that `unshare` forked (proc(5), /proc/PID/task/TID/children); it becomes chroot, and that Node. */
async function firstChild({ pid }: ChildProcess, what: string): Promise<number> {
  const file = `/proc/${pid}/task/${pid}/children`;
  return waitUntil(async () => Number(readFileSync(file, 'utf8').trim()) || undefined, {
    what,
    timeoutMs: 10_000,
    everyMs: 10,
  });
}
