import { Command, CommanderError } from 'commander';
import { UnknownTopicError } from '../connection/cluster.ts';
import { ConnectionError } from '../connection/connection-error.ts';
import { SettingsError } from '../connection/settings-error.ts';
import { OutputError } from '../output/output.ts';
import { TimeError } from '../output/time.ts';
import { OffsetOutOfRangeError } from '../reading/fetch-pool.ts';
import { FetchAnswerError } from '../reading/fetch-request.ts';
import { auditCommand } from './audit.ts';
import type { RegisterCommand, Run } from './command.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts';
import { exportCommand } from './export.ts';
import { replayCommand } from './replay.ts';
import { tailCommand } from './tail.ts';
import { topicsCommand } from './topics.ts';
import { Interrupted, ReaderGone, type World } from './world.ts';

/** Every command there is; a further one is a file and a line here. */
const COMMANDS: readonly RegisterCommand[] = [
  topicsCommand,
  tailCommand,
  replayCommand,
  exportCommand,
  auditCommand,
  doctorCommand,
  completionCommand,
];

const SUMMARY = 'Reads the topics of Tickline: what there is, live, replayed in time, exported, checked.';

/** The program with all commands. `finish` is told the exit code of the one that ran. */
function buildProgram(world: World, version: string, finish: (code: ExitCode) => void): Command {
  const program = new Command('tickline')
    .description(SUMMARY)
    .version(version)
    .helpOption('-h, --help', 'this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
    })
    .exitOverride();
  const run: Run = async (action) => finish(await codeOf(() => action(world), world));
  for (const register of COMMANDS) register(program, run);
  for (const command of program.commands) command.helpOption('-h, --help', 'this help').exitOverride();
  program.addHelpText(
    'after',
    `
Each command takes --help, which has examples. Exit codes of all:
${Object.values(EXIT_HELP)
  .map((line) => `  ${line}`)
  .join('\n')}
`,
  );
  return program;
}

/** Parses the arguments and runs the command. Resolves with the exit code; what went wrong is told on stderr. */
export async function runProgram(argv: readonly string[], world: World, version: string): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const program = buildProgram(world, version, (finished) => {
    code = finished;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has written its message, or the help that was asked for.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return code;
}

/** Runs an action and tells what went wrong in one sentence. */
async function codeOf(action: () => Promise<ExitCode>, world: World): Promise<ExitCode> {
  const { signal } = world;
  try {
    return await action();
  } catch (thrown) {
    // Who ends a command ends its connections.
    const error: unknown = signal.aborted && thrown instanceof ConnectionError ? signal.reason : thrown;
    if (error instanceof ReaderGone) return EXIT.done;
    if (error instanceof Interrupted) return EXIT.interrupted;
    const code = exitCodeOf(error);
    if (code === null) {
      const { stack, message } = error as Error;
      world.stderr.write(`tickline: a fault of tickline itself, please report it:\n${stack ?? message}\n`);
      return EXIT.fault;
    }
    world.stderr.write(`tickline: ${(error as Error).message}\n`);
    return code;
  }
}

/** The exit code of an error that is told in one sentence; null: it is a fault of ours. */
function exitCodeOf(error: unknown): ExitCode | null {
  // An answer that no broker gives: something else listens there.
  if (error instanceof ConnectionError || error instanceof FetchAnswerError) return EXIT.connection;
  if (error instanceof OutputError) return EXIT.output;
  const isUsage =
    error instanceof SettingsError ||
    error instanceof TimeError ||
    error instanceof UnknownTopicError ||
    error instanceof OffsetOutOfRangeError;
  return isUsage ? EXIT.usage : null;
}
