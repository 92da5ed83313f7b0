import {
  ConfigError,
  type ConfigProblem,
  configHelp,
  type FleetConfig,
  loadConfig,
  loadFleet,
  problemText,
  readCommandLine,
} from '../config.ts';
import { exchanges as registry } from '../exchanges/registry.ts';
import { assumeSymbols, type ExchangeLookup, type ListedSymbols, listSymbols } from './check-listing.ts';
import { type CheckedOutputs, checkOutputs } from './check-outputs.ts';
import { type CommandIo, EXIT_INTERRUPTED, EXIT_REFUSED } from './command-io.ts';

/** Exit codes of `check`. */
export const CHECK_EXIT = {
  right: 0,
  /** An exchange (with --connect: Kafka or the registry) did not answer, so that not all could be checked. */
  unanswered: 1,
  /** The configuration is wrong in itself, names a symbol that its exchange does not list, or was refused. */
  refused: EXIT_REFUSED,
} as const;

const HELP = `tickline-ingestor check: is a configuration valid, and do the exchanges list its symbols

  tickline-ingestor check --config FILE [--config FILE …] [--KEY=VALUE …]

  --offline   do not ask the exchanges
  --connect   also log in to Kafka and the schema registry, and look for topics, rights and schemas; writes
              nothing
  --fleet     a configuration that all pods share: shard.index may be missing
  --json      the result as one JSON document

Exit codes: 0 valid; 1 an exchange, Kafka or the registry did not answer; 2 refused, every problem named.

`;

/** `tickline-ingestor check`. Resolves with one of {@link CHECK_EXIT}. */
export async function checkCommand(
  argv: readonly string[],
  io: CommandIo,
  exchanges: ExchangeLookup = registry,
): Promise<number> {
  const line = readCommandLine(argv, {
    offline: 'switch',
    connect: 'switch',
    fleet: 'switch',
    json: 'switch',
  });
  if (line.help) {
    io.stdout.write(`${HELP}${configHelp()}`);
    return CHECK_EXIT.right;
  }
  let problems: readonly ConfigProblem[] = [];
  let listed: ListedSymbols[] = [];
  let outputs: CheckedOutputs = { refusals: [], failures: [] };
  try {
    const config: FleetConfig = line.flags.has('fleet') ? loadFleet(line, io.env) : loadConfig(line, io.env);
    listed = line.flags.has('offline')
      ? assumeSymbols(config).map((each) => ({ ...each, problems: [] }))
      : await listSymbols(config, exchanges, io.signal);
    problems = listed.flatMap((each) => each.problems);
    if (line.flags.has('connect')) outputs = await checkOutputs(config, io.signal);
  } catch (error) {
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    if (!(error instanceof ConfigError)) throw error;
    problems = error.problems;
  }
  const unlisted = listed.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const failures = [...unlisted, ...outputs.failures];
  const { refusals } = outputs;
  const isRefused = problems.length > 0 || refusals.length > 0;
  const code = isRefused
    ? CHECK_EXIT.refused
    : failures.length > 0
      ? CHECK_EXIT.unanswered
      : CHECK_EXIT.right;
  if (line.flags.has('json')) {
    const counts = Object.fromEntries(
      listed.map(({ exchange, listed: all, instruments }) => [
        exchange,
        { listed: all, symbols: instruments.length },
      ]),
    );
    io.stdout.write(
      `${JSON.stringify({ ok: code === 0, problems, refusals, failures, exchanges: counts })}\n`,
    );
    return code;
  }
  for (const problem of problems) io.stderr.write(`${problemText(problem)}\n`);
  for (const refusal of refusals) io.stderr.write(`${refusal}\n`);
  for (const failure of failures) io.stderr.write(`${failure}\n`);
  if (code === CHECK_EXIT.right) {
    for (const { exchange, listed: all, instruments } of listed) {
      const of = all === null ? 'not compared with the listing' : `${all} listed`;
      io.stdout.write(`${exchange}: ${instruments.length} symbols (${of})\n`);
    }
    io.stdout.write('the configuration is valid\n');
    if (line.flags.has('connect')) io.stdout.write('the outputs take us\n');
  }
  return code;
}
