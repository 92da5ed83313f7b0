import { spawn } from 'node:child_process';

/** How a command ended, and what it wrote. */
export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  /** What it has written to standard error so far. */
  stderr(): string;
  readonly ended: Promise<CommandEnd>;
  /** Ends it at once. */
  kill(): void;
}

/** A command that did not end well; the message has its last lines. */
export class CommandFailedError extends Error {
  override name = 'CommandFailedError';
}

/** Starts a command; it is killed after `timeoutMs`. Resolves however it ends, unless it can't be started. */
export function startCommand(
  command: string,
  args: readonly string[],
  { input = '', timeoutMs = 300_000 }: { readonly input?: string; readonly timeoutMs?: number } = {},
): RunningCommand {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  // Not spawn's own limit: its timer outlives a command that is not there.
  const limit = setTimeout(kill, timeoutMs);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // One that ends without reading its input is told by its exit code.
  child.stdin.on('error', () => undefined).end(input);
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', (error) => {
      clearTimeout(limit);
      process.off('exit', kill);
      reject(new CommandFailedError(`can't run ${command}: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      process.off('exit', kill);
      const killed = signal === null ? '' : `\nended by ${signal} (after ${timeoutMs / 1000} s at most)`;
      resolve({ code, stdout, stderr: stderr + killed });
    });
  });
  return { stderr: () => stderr, ended, kill };
}

/** Runs a command to its end; throws unless it exits with 0. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<CommandEnd> {
  const end = await startCommand(command, args, options).ended;
  if (end.code === 0) return end;
  const last = `${end.stdout}\n${end.stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new CommandFailedError(`${command} ${args.join(' ')}\nended with ${end.code}:\n${last}`);
}
