import { spawn } from 'node:child_process';

/** How {@link runTool} runs a command. */
export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with every line the command writes, from either stream. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a command to its end and returns what it wrote to standard output. Throws with the last lines of both
 * streams if it can't be started or exits with anything but 0.
 */
export function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    const last: string[] = [];
    const onLine = (line: string): void => {
      if (line.trim() === '') return;
      last.push(line);
      if (last.length > 15) last.shift();
      options.onLine?.(line);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stdout.on('data', lines(onLine));
    child.stderr.setEncoding('utf8').on('data', lines(onLine));
    const killChild = (): void => void child.kill('SIGKILL');
    process.once('exit', killChild);
    child.once('error', (error) => {
      process.off('exit', killChild);
      reject(new Error(`can't run ${command}: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      process.off('exit', killChild);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ended with ${signal ?? code}; its last lines:\n${last.join('\n')}`));
    });
  });
}

/** Cuts chunks into lines; a last line without an end is held back until its end comes. */
function lines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) onLine(part);
  };
}
