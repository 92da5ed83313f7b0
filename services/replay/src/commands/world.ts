import type { Output } from '../output/output.ts';

/** What a command may touch of the world. */
export interface World {
  /** The result. */
  readonly stdout: Output;
  /** Progress, summaries and complaints. */
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGINT and SIGTERM (reason: Interrupted), and when nobody reads the output any more (ReaderGone). */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A clock that is never set back, in milliseconds. */
  monotonic(): number;
  /** Resolves after so long, rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** SIGINT or SIGTERM: exit code 130, where a command is not made to be ended so. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Who reads the output has gone (`| head`): exit code 0. */
export class ReaderGone extends Error {
  override name = 'ReaderGone';
}
