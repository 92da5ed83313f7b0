import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopCause = (typeof signals)[number];

const stops = new Set<() => Promise<void>>();
let ending = false;

function onSignal(signal: StopCause): void {
  // A program with a handler of its own decides itself how to end, and calls stop() where it fits.
  if (process.listenerCount(signal) > 1) return;
  const code = 128 + constants.signals[signal];
  // A second Ctrl-C does not wait: the exit itself kills what is left.
  if (ending) process.exit(code);
  ending = true;
  void Promise.allSettled([...stops].map((stop) => stop())).then(() => process.exit(code));
}

/**
 * Calls `stop` and then ends the process (exit code 128 + signal) when it is told to end by SIGINT, SIGTERM
 * or SIGHUP and nobody else listens for that signal. Returns how to take that back.
 */
export function stopOnSignals(stop: () => Promise<void>): () => void {
  if (stops.size === 0) for (const signal of signals) process.on(signal, onSignal);
  stops.add(stop);
  return () => {
    if (!stops.delete(stop) || stops.size > 0 || ending) return;
    for (const signal of signals) process.off(signal, onSignal);
  };
}
