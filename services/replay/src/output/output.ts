import type { Writable } from 'node:stream';

/** Standard output can't be written (no room on the device): exit code 5. */
export class OutputError extends Error {
  override name = 'OutputError';
}

/** Where a command's result goes. */
export interface Output {
  readonly isTTY: boolean;
  /** Characters in a line of the terminal; 0: unknown. */
  readonly columns: number;
  /**
   * Writes text or bytes; the bytes may be used again when the promise resolves (at once, where none is returned).
   * A promise is returned when who reads is slower than we are.
   */
  write(chunk: string | Uint8Array): Promise<void> | undefined;
}

/** How long a reader has to take what was written before the command was ended. */
const LAST_WRITE_MS = 500;

/**
 * A stream as Output. `failed` is told of the first error of the stream: EPIPE when its reader has gone. When
 * `signal` is aborted, a reader that stalls (a pager) is waited for no longer than a moment.
 */
export function streamOutput(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
  signal: AbortSignal,
  failed: (error: NodeJS.ErrnoException) => void,
): Output {
  let broken = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!broken) failed(error);
    broken = true;
  });
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 0;
    },
    write(chunk) {
      if (broken) return undefined;
      // The stream keeps the bytes until the kernel has them: who writes may fill them again only then.
      let isDone = false;
      let resolved = (): void => undefined;
      stream.write(chunk, () => {
        isDone = true;
        resolved();
      });
      if (isDone || broken) return undefined;
      return new Promise((resolve) => {
        const stopWaiting = onceAborted(signal, LAST_WRITE_MS, () => {
          broken = true;
          resolve();
        });
        resolved = () => {
          stopWaiting();
          resolve();
        };
      });
    },
  };
}

/** Calls `late` so long after the signal's abortion; returns what calls it off. */
function onceAborted(signal: AbortSignal, ms: number, late: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(late, ms);
  };
  if (signal.aborted) wait();
  else signal.addEventListener('abort', wait, { once: true });
  return () => {
    signal.removeEventListener('abort', wait);
    clearTimeout(timer);
  };
}
