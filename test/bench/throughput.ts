/**
 * Acknowledged messages per core-second of the ingestor process, from the socket to the real broker
 * (acks=all, idempotent), and the same pipeline with the public kafkajs `sendBatch` as its sink.
 */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PodStatus } from '@tickline/schemas';
import { type Stack, startStack } from '../../scripts/stack/stack.ts';
import { type GeneratorProcess, startGenerator } from './generator-process.ts';
import { type Entry, startIngestor } from './ingestor-process.ts';

export const description = 'Binance trades over loopback into Kafka, beside kafkajs sendBatch';

const MESSAGES = 5_000_000;
const WARM_UP = 1_000_000;
/** The baseline is so much slower that a fifth of the messages gives a run of the same length. */
const BASELINE_SHARE = 5;
const TIME_LIMIT_MS = 200_000;

interface Measured {
  messages: number;
  acknowledged: number;
  seconds: number;
  cpuSeconds: number;
  messagesPerCoreSecond: number;
}

interface Result {
  readonly ok: boolean;
  readonly text: string;
  readonly json: Measured & { baselines: { kafkajsSendBatch: number } };
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

export async function run({ messages = MESSAGES }: { messages: number | undefined }): Promise<Result> {
  const ours = await measure('services/ingestor/src/main.ts', messages, WARM_UP);
  const baseline = await measure(
    'test/bench/kafkajs-send-batch/main.ts',
    Math.ceil(messages / BASELINE_SHARE),
    WARM_UP / BASELINE_SHARE,
  );
  const ratio = ours.messagesPerCoreSecond / baseline.messagesPerCoreSecond;
  return {
    ok: ours.acknowledged >= messages,
    json: { ...ours, baselines: { kafkajsSendBatch: baseline.messagesPerCoreSecond } },
    text: [
      `own record batches    ${describe(ours)}`,
      `kafkajs sendBatch     ${describe(baseline)}`,
      `ratio                 ${ratio.toFixed(1)}`,
    ].join('\n'),
  };
}

function describe(run: Measured): string {
  return `${run.messagesPerCoreSecond.toLocaleString('en')} messages per core-second (${run.acknowledged.toLocaleString('en')} acknowledged in ${run.seconds} s with ${run.cpuSeconds} CPU seconds)`;
}

/** One run on a broker of its own, so that none inherits the other's page cache or topic. */
async function measure(entry: Entry, messages: number, warmUp: number): Promise<Measured> {
  progress(`${entry}: starting`);
  const stack = await startStack({ brokers: 1, registry: true, onProgress: progress });
  try {
    const generator = await startGenerator();
    try {
      return await measureOn(stack, generator, entry, messages, warmUp);
    } finally {
      generator.stop();
    }
  } finally {
    await stack.stop();
  }
}

async function measureOn(
  stack: Stack,
  generator: GeneratorProcess,
  entry: Entry,
  messages: number,
  warmUp: number,
): Promise<Measured> {
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
  const ingestor = await startIngestor(entry, [
    ...flags,
    '--shard.index=0',
    '--status.port=0',
    '--metrics.port=0',
  ]);
  try {
    await until(ingestor.status, (status) => status.ready, 'the ingestor is ready');
    progress(`warming up with ${warmUp.toLocaleString('en')} messages`);
    const warmedUp = await generator.send(warmUp);
    const before = await until(
      ingestor.status,
      (status) => acknowledged(status) >= warmedUp,
      'the warm-up is acknowledged',
    );
    progress(`measuring ${messages.toLocaleString('en')} messages`);
    const start = performance.now();
    const sent = await generator.send(messages);
    const after = await until(
      ingestor.status,
      (status) => acknowledged(status) >= warmedUp + sent,
      'everything is acknowledged',
    );
    const seconds = (performance.now() - start) / 1000;
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    const count = acknowledged(after) - acknowledged(before);
    return {
      messages: sent,
      acknowledged: count,
      seconds: round(seconds),
      cpuSeconds: round(cpuSeconds),
      messagesPerCoreSecond: Math.round(count / cpuSeconds),
    };
  } finally {
    await ingestor.stop();
  }
}

/** Ticks that Kafka confirmed; status records beside them are not counted. */
function acknowledged(status: PodStatus): number {
  const [sink] = status.sinks;
  return sink === undefined ? 0 : sink.acknowledged;
}

/** Asks every 50 ms until it is so. */
async function until(
  read: () => Promise<PodStatus>,
  holds: (status: PodStatus) => boolean,
  what: string,
): Promise<PodStatus> {
  const deadline = performance.now() + TIME_LIMIT_MS;
  for (;;) {
    const status = await read();
    if (holds(status)) return status;
    if (performance.now() > deadline) {
      throw new Error(
        `waited ${TIME_LIMIT_MS / 1000} s in vain until ${what}: ${JSON.stringify(status.sinks)}`,
      );
    }
    await delay(50);
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
