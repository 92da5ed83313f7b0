import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StackKind } from './choice.ts';
import { isRunning, type ProcessIdentity, signalProcess, startTimeOf } from './process-identity.ts';

/** What is written down about a running stack, so that others find it and nothing of it is forgotten. */
export interface StackState {
  readonly kind: StackKind;
  /** The process that holds the stack: when it ends, so does the stack. */
  readonly owner: ProcessIdentity;
  /** The servers' own processes; empty in containers. */
  readonly servers: readonly (ProcessIdentity & { readonly name: string })[];
  /** host:port of each broker. */
  readonly brokers: readonly string[];
  readonly registryUrl: string | null;
  /** Data and logs. */
  readonly folder: string;
}

/** Writes the state whole: a reader never sees half of it. */
export function writeState(file: string, state: StackState): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(temporary, file);
}

/** The state in a file; `undefined` when there is none or it can't be read. */
export function readState(file: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StackState;
  } catch {
    return undefined;
  }
}

/** A state is stale when its owner is gone: the stack is no more, though servers of it may have been left. */
export function isStale(
  state: StackState,
  startTime: (pid: number) => string | undefined = startTimeOf,
): boolean {
  return !isRunning(state.owner, startTime);
}

/** Kills the servers a dead owner left behind; returns the names of those that were still there. */
export function killLeftServers(state: StackState): string[] {
  return state.servers.filter((server) => signalProcess(server, 'SIGKILL')).map((server) => server.name);
}

/** Clears away the stacks below `stacksFolder` whose owner is gone: their servers, their folders. */
export function sweepStaleStacks(stacksFolder: string): void {
  if (!existsSync(stacksFolder)) return;
  for (const entry of readdirSync(stacksFolder)) {
    const folder = join(stacksFolder, entry);
    const state = readState(join(folder, 'stack.json'));
    // A folder's name begins with its owner's pid: one without a state may be just about to get it.
    const stale =
      state === undefined ? startTimeOf(Number.parseInt(entry, 10)) === undefined : isStale(state);
    if (!stale) continue;
    if (state !== undefined) killLeftServers(state);
    rmSync(folder, { recursive: true, force: true });
  }
}
