import { RECORD_TOPICS, TICK_CHANNELS } from '@tickline/schemas';
import { Argument, type Command } from 'commander';
import { helpEnd, type Run } from './command.ts';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';
import { EXIT } from './exit-codes.ts';

const HELP = helpEnd(
  [
    'eval "$(tickline completion bash)"        # in ~/.bashrc',
    'eval "$(tickline completion zsh)"         # in ~/.zshrc, behind compinit',
    'tickline completion fish > ~/.config/fish/completions/tickline.fish',
  ],
  ['done', 'usage'],
);

/** `tickline completion`. */
export function completionCommand(program: Command, run: Run): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .summary('a script that completes commands and flags in a shell')
    .description('Writes a script that completes commands, flags and topics in bash, zsh or fish.')
    .addHelpText('after', HELP)
    .action((shell: Shell) =>
      run(async (world) => {
        await world.stdout.write(completionScript(shell, program, (name) => valuesOf(program, name)));
        return EXIT.done;
      }),
    );
}

/** Values of a command's first argument: its own choices, topics, or channels. */
function valuesOf(program: Command, name: string): readonly string[] {
  const argument = program.commands.find((command) => command.name() === name)?.registeredArguments[0];
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices;
  if (argument.name() === 'channel') return TICK_CHANNELS;
  return argument.name() === 'topic' ? RECORD_TOPICS : [];
}
