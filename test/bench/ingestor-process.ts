import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PodStatus } from '@tickline/schemas';

/** The ingestor's own `run`, or one whose sink is exchanged. */
export type Entry = 'services/ingestor/src/main.ts' | 'test/bench/kafkajs-send-batch/main.ts';

/** A running ingestor whose status can be read. */
export interface IngestorProcess {
  status(): Promise<PodStatus>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Starts an ingestor and resolves when its status server listens. Its log's errors go to our standard error. */
export async function startIngestor(entry: Entry, flags: readonly string[]): Promise<IngestorProcess> {
  const child: ChildProcess = spawn(process.execPath, [`${root}${entry}`, 'run', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const statusUrl = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the ingestor ended with ${code} before it listened`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const entry = JSON.parse(line) as { level: string; event: string; data?: { statusUrl?: string } };
      if (entry.event === 'listening' && entry.data?.statusUrl !== undefined) resolve(entry.data.statusUrl);
      if (entry.level === 'error' || entry.level === 'warn') process.stderr.write(`${line}\n`);
    });
  });
  return {
    async status() {
      return (await (await fetch(`${statusUrl}/status`)).json()) as PodStatus;
    },
    async stop() {
      const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve([child.exitCode]);
      child.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}
