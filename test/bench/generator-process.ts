import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The benchmark's exchange as a process of its own. */
export interface GeneratorProcess {
  readonly port: number;
  /** Canonical symbols that it lists. */
  readonly symbols: readonly string[];
  /** Writes so many frames; resolves with how many when the last is in the kernel's hands. */
  send(frames: number): Promise<number>;
  stop(): void;
}

export async function startGenerator(): Promise<GeneratorProcess> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./generator.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const line = await lines.next();
    if (line.done) throw new Error('the generator ended');
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  const { port, symbols } = await next();
  return {
    port: port as number,
    symbols: symbols as string[],
    async send(frames) {
      child.stdin.write(`go ${frames}\n`);
      return (await next()).sent as number;
    },
    stop: () => child.kill('SIGTERM'),
  };
}
