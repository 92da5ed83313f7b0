import { constants } from 'node:os';
import { HELP, OptionError, readOptions, wantsJson } from './options.ts';
import { isGood, noResults, renderSummary, resultJson } from './summary.ts';

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args, process.env);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`${error.message}\n`);
    if (wantsJson(args, process.env)) {
      process.stdout.write(`${resultJson(noResults(args.includes('--live'), []), error.message)}\n`);
    }
    return 2;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }

  // kafkajs sets timers in the past: harmless, and a warning would tear the view.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'TimeoutNegativeWarning') process.stderr.write(`${warning.stack}\n`);
  });
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second one does not wait: our exit kills what is left.
      if (interrupt.signal.aborted) process.exit(exitCodeOf(signal));
      interrupt.abort(signal);
    });
  }

  // Loaded only now: help and wrong options need none of it.
  const [{ runDemo }, { createScreen }] = await Promise.all([import('./demo.ts'), import('./screen.ts')]);
  const screen = createScreen(options.json);
  const { results, seconds, error, ran, interruptedBy } = await runDemo(options, screen, interrupt.signal);
  if (ran) {
    screen.print(['', ...renderSummary(results, seconds, options.live, screen.columns - 1, screen.colour)]);
  }
  if (error !== null) process.stderr.write(`\n${error}\n`);
  if (options.json) process.stdout.write(`${resultJson(results, error)}\n`);
  if (interruptedBy !== null) return exitCodeOf(interruptedBy);
  return isGood(results, error) ? 0 : 1;
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

process.exit(await main(process.argv.slice(2)));
