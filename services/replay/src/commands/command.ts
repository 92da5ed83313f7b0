import type { Command } from 'commander';
import { EXIT_HELP, type ExitCode } from './exit-codes.ts';
import type { World } from './world.ts';

/** Runs a command's action; registered commands call it with what they do. Resolves with the exit code. */
export type Run = (action: (world: World) => Promise<ExitCode>) => Promise<void>;

/** A command: registers itself, and hands its action to `run`. */
export type RegisterCommand = (program: Command, run: Run) => void;

/** A command's description of several paragraphs; commander breaks the lines. */
export function aboutText(...paragraphs: readonly string[]): string {
  return paragraphs.join('\n\n');
}

/** What `--help` of a command says of its exit codes, and examples. */
export function helpEnd(examples: readonly string[], codes: readonly (keyof typeof EXIT_HELP)[]): string {
  return `
Examples:
${examples.map((line) => `  ${line}`).join('\n')}

Exit codes:
${codes.map((code) => `  ${EXIT_HELP[code]}`).join('\n')}
`;
}
