import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * A process that is told apart from a later one with the same pid. `startTime` is opaque: compare it only
 * for equality.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/**
 * The state letter and the start time in clock ticks since boot, from a line of `/proc/PID/stat` (proc(5)).
 * The command's name, in parentheses, may itself hold blanks and parentheses: fields count from the last one.
 */
export function parseProcStat(line: string): { state: string; startTicks: string } | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state !== undefined && startTicks !== undefined ? { state, startTicks } : undefined;
}

/** When the process with this pid started, or `undefined` if there is none (a zombie counts as none). */
export function startTimeOf(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
      // Ticks count from boot: without the boot's id a file that outlives a reboot could match by chance.
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${stat.startTicks}`;
    } catch {
      return undefined;
    }
  }
  const started = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return started === '' ? undefined : started;
}

/** Names a running process; throws if there is none with this pid. */
export function identify(pid: number): ProcessIdentity {
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw new Error(`there is no process ${pid}`);
  return { pid, startTime };
}

/** Whether the very process that was named still runs: same pid and same start time. */
export function isRunning(
  identity: ProcessIdentity,
  startTime: (pid: number) => string | undefined = startTimeOf,
): boolean {
  return startTime(identity.pid) === identity.startTime;
}

/** Sends a signal to that very process; says whether it was there to get it. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}
