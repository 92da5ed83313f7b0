import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks every 50 ms until there is an answer; throws with `what` (and the last error) when there is
 * none in time. The limit only ends a test that waits in vain: nothing is asserted about time.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`, { cause: last });
    await delay(50);
  }
}
