import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../../scripts/stack/paths.ts';

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command's entry. */
export const ticklineMain = join(repositoryRoot, 'services/replay/src/main.ts');

/** A running `tickline`. */
export class TicklineProcess {
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;
  private readonly child: ChildProcessWithoutNullStreams;

  /** `output`: what becomes of standard output; `unread` leaves it in the pipe. */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    output: 'kept' | 'unread' = 'kept',
  ) {
    this.child = spawn(process.execPath, [ticklineMain, ...args], {
      // Nothing of the tests' own surroundings: no profile of who runs them.
      env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', TZ: 'Asia/Kolkata', ...env },
    });
    this.child.stdin.end();
    if (output === 'kept') {
      this.child.stdout.on('data', (chunk: Buffer) => {
        this.stdout += chunk.toString();
      });
    } else {
      // Takes what fits its buffer, and no more.
      this.child.stdout.on('readable', () => undefined);
    }
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.finished = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      // Unread output would keep `close` from coming.
      this.child.once(output === 'kept' ? 'close' : 'exit', (code) =>
        resolve({ code, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** What lies in our buffer because nobody reads it. */
  get unreadBytes(): number {
    return this.child.stdout.readableLength;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** Runs `tickline` to its end. */
export function tickline(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new TicklineProcess(args, env).finished;
}

/** The lines of JSON output. */
export function jsonLinesOf<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
