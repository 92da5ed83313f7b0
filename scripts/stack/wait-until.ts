import { setTimeout as delay } from 'node:timers/promises';

/** How {@link waitUntil} waits. */
export interface WaitOptions {
  /** What is waited for, for the error: "broker 1 to answer". */
  readonly what: string;
  /** Give up after this many milliseconds. */
  readonly timeoutMs: number;
  /** Pause between two attempts, in milliseconds. */
  readonly everyMs?: number;
  /** Gives up at once when aborted, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks until `attempt` answers something other than `undefined`, and returns that. An attempt that throws
 * counts as "not yet"; its message is in the error when time runs out.
 */
export async function waitUntil<T>(attempt: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  let last = '';
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await attempt();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    options.signal?.throwIfAborted();
    if (performance.now() >= deadline) {
      throw new Error(`waited ${options.timeoutMs / 1000} s for ${options.what}${last}`);
    }
    await delay(options.everyMs ?? 100);
  }
}
