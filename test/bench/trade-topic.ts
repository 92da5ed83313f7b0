import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Stack } from '../../scripts/stack/stack.ts';
import { startGenerator } from './generator-process.ts';
import { startIngestor } from './ingestor-process.ts';

const TIME_LIMIT_MS = 200_000;

/**
 * Fills `md.trades` with trades as they come to be: the benchmark's exchange sends them to a real ingestor, which
 * writes them to Kafka. Resolves with how many there are when all are acknowledged.
 */
export async function fillTradeTopic(
  stack: Stack,
  trades: number,
  progress: (text: string) => void,
): Promise<number> {
  const generator = await startGenerator();
  try {
    const flags = [
      `--kafka.brokers=${stack.brokers.join(',')}`,
      `--registry.url=${stack.registryUrl}`,
      '--shard.count=1',
      `--exchanges.binance.endpoints.websocket=ws://127.0.0.1:${generator.port}`,
      `--exchanges.binance.endpoints.rest=http://127.0.0.1:${generator.port}`,
      `--exchanges.binance.symbols=${generator.symbols.join(',')}`,
      '--exchanges.binance.channels=trades',
    ];
    const main = fileURLToPath(new URL('../../services/ingestor/src/main.ts', import.meta.url));
    await promisify(execFile)(process.execPath, [main, 'provision', ...flags]);
    const ingestor = await startIngestor('services/ingestor/src/main.ts', [
      ...flags,
      '--shard.index=0',
      '--status.port=0',
      '--metrics.port=0',
    ]);
    try {
      const deadline = performance.now() + TIME_LIMIT_MS;
      const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
        while (!(await holds())) {
          if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
          await delay(50);
        }
      };
      await until('the ingestor is ready', async () => (await ingestor.status()).ready);
      progress(`writing ${trades.toLocaleString('en')} trades to Kafka`);
      const sent = await generator.send(trades);
      const acknowledged = async (): Promise<number> =>
        (await ingestor.status()).sinks.reduce((sum, sink) => sum + sink.acknowledged, 0);
      await until('all trades are acknowledged', async () => (await acknowledged()) >= sent);
      return sent;
    } finally {
      await ingestor.stop();
    }
  } finally {
    generator.stop();
  }
}
