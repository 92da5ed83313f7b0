#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, type ExitCode } from './commands/exit-codes.ts';
import { runProgram } from './commands/program.ts';
import { Interrupted, ReaderGone, type World } from './commands/world.ts';
import { OutputError, streamOutput } from './output/output.ts';

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const stop = new AbortController();

/** The first signal ends the command in order, the second one at once. */
function interrupted(): void {
  if (stop.signal.aborted) process.exit(EXIT.interrupted);
  stop.abort(new Interrupted('interrupted'));
}
process.on('SIGINT', interrupted);
process.on('SIGTERM', interrupted);

const world: World = {
  stdout: streamOutput(process.stdout, stop.signal, (error) => {
    const gone = error.code === 'EPIPE';
    stop.abort(
      gone
        ? new ReaderGone('nobody reads the output')
        : new OutputError(`the output can't be written: ${error.message}`),
    );
  }),
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    delay(ms, undefined, { signal }).catch(() => {
      throw signal.reason;
    }),
};
// Whoever watches progress may go away before the end: that ends nothing.
process.stderr.on('error', () => undefined);

// kafkajs 2.2.4 asks for a negative timeout once (network/requestQueue); it is harmless and not ours to tell.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning')
    process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

const code: ExitCode = await runProgram(process.argv.slice(2), world, version());
const failure: unknown = stop.signal.reason;
if (failure instanceof OutputError && code === EXIT.done)
  process.stderr.write(`tickline: ${failure.message}\n`);
process.exitCode = failure instanceof OutputError ? EXIT.output : code;
// Output that nobody takes would keep the process.
if (stop.signal.aborted) process.exit();
