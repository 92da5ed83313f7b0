/**
 * What the two Redis benchmarks share: ticks to a real Redis and from there to a real client, Kafka off, per
 * core-second of the ingestor process at full speed, and the delay from the socket to the client at 10,000 a second.
 *
 * At full speed the generator is held back to what the client has read: on two cores generator, ingestor, Redis and
 * client take turns, and the figure is CPU time of the ingestor, not time on the clock.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PodStatus } from '@tickline/schemas';
import { type RedisServer, startRedis } from '../../scripts/redis/redis-server.ts';
import { type GeneratorProcess, startGenerator } from './generator-process.ts';
import { type IngestorProcess, startIngestor } from './ingestor-process.ts';

const MESSAGES = 1_500_000;
const WARM_UP = 300_000;
/** Most that the client may be behind the generator. */
const WINDOW = 20_000;
const SLICE = 5_000;
const PACED_PER_SECOND = 10_000;
const PACED_SECONDS = 15;
/** The first seconds warm up the quiet path, which the full speed did not take. */
const PACED_WARM_UP_SECONDS = 3;
/** Ticks come singly in life: a few at once, many times a second. */
const BURST = 10;
const TIME_LIMIT_MS = 120_000;
/** Nothing new for so long: the rest is lost. */
const STALLED_MS = 10_000;

/** The result of one of the two. */
export interface DeliveryResult {
  readonly ok: boolean;
  readonly text: string;
  readonly json: {
    ticks: number;
    delivered: number;
    lost: number;
    ticksPerCoreSecond: number;
    p50Ms: number;
    p99Ms: number;
  };
}

/** What the client has: distinct ticks, told by the sequence of their symbol. */
export class Received {
  delivered = 0;
  /** Delays in milliseconds; not kept while null. */
  delays: number[] | null = null;
  private readonly sequences = new Map<string, number>();
  private wake: (() => void) | null = null;

  take(symbol: string, sequence: number, tick: string): void {
    if (sequence <= (this.sequences.get(symbol) ?? 0)) return;
    this.sequences.set(symbol, sequence);
    this.delivered++;
    if (this.delays === null) return;
    const receiveTime = Number(/"receiveTime":(\d+)/.exec(tick)![1]);
    this.delays.push(performance.timeOrigin + performance.now() - receiveTime / 1000);
  }

  /** A chunk was taken. */
  taken(): void {
    this.wake?.();
  }

  /** Resolves when so many ticks have come, or nothing comes any more. */
  async until(count: number): Promise<void> {
    let last = this.delivered;
    let lastAt = performance.now();
    while (this.delivered < count) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await Promise.race([woken, delay(1_000)]);
      if (this.delivered !== last) lastAt = performance.now();
      last = this.delivered;
      if (performance.now() - lastAt > STALLED_MS) return;
    }
  }
}

/** One of the two: its flags, and its client. */
export interface DeliveryBench {
  readonly flags: readonly string[];
  /** Whether a loss makes the run worthless. */
  readonly mustBeComplete: boolean;
  /** Begins to read; the returned function ends that. */
  read(server: RedisServer, received: Received): Promise<() => void>;
}

export async function measureDelivery(bench: DeliveryBench, messages = MESSAGES): Promise<DeliveryResult> {
  const server = await startRedis({ settings: ['appendonly no'], onProgress: progress });
  try {
    const generator = await startGenerator();
    try {
      const ingestor = await startIngestor('services/ingestor/src/main.ts', [
        '--kafka.enabled=false',
        `--redis.addresses=${server.address}`,
        ...bench.flags,
        '--shard.count=1',
        '--shard.index=0',
        `--exchanges.binance.endpoints.websocket=ws://127.0.0.1:${generator.port}`,
        `--exchanges.binance.endpoints.rest=http://127.0.0.1:${generator.port}`,
        `--exchanges.binance.symbols=${generator.symbols.join(',')}`,
        '--exchanges.binance.channels=trades',
        '--status.port=0',
        '--metrics.port=0',
      ]);
      try {
        return await measure(bench, server, generator, ingestor, messages);
      } finally {
        await ingestor.stop();
      }
    } finally {
      generator.stop();
    }
  } finally {
    await server.remove();
  }
}

async function measure(
  bench: DeliveryBench,
  server: RedisServer,
  generator: GeneratorProcess,
  ingestor: IngestorProcess,
  messages: number,
): Promise<DeliveryResult> {
  await untilReady(ingestor);
  const received = new Received();
  const endReading = await bench.read(server, received);
  try {
    progress('warming up');
    await send(generator, received, WARM_UP);

    progress(`${messages.toLocaleString('en')} ticks at full speed`);
    const atStart = received.delivered;
    const before = await ingestor.status();
    const sent = await send(generator, received, messages);
    const after = await ingestor.status();
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    const fast = received.delivered - atStart;

    progress(`${PACED_PER_SECOND.toLocaleString('en')} ticks a second for ${PACED_SECONDS} s`);
    const delays: number[] = [];
    const pacedStart = received.delivered;
    const paced = await sendPaced(generator, received, delays);
    const slow = received.delivered - pacedStart;
    delays.sort((a, b) => a - b);

    const json = {
      ticks: sent + paced,
      delivered: fast + slow,
      lost: sent + paced - fast - slow,
      ticksPerCoreSecond: Math.round(fast / cpuSeconds),
      p50Ms: round(delays[Math.floor(delays.length * 0.5)] ?? Number.NaN),
      p99Ms: round(delays[Math.floor(delays.length * 0.99)] ?? Number.NaN),
    };
    return {
      ok: json.ticks >= messages && (json.lost === 0 || !bench.mustBeComplete),
      json,
      text: `${json.ticksPerCoreSecond.toLocaleString('en')} ticks per core-second to one client, ${json.lost} of ${json.ticks} lost; at ${PACED_PER_SECOND}/s from socket to client p50 ${json.p50Ms} ms, p99 ${json.p99Ms} ms`,
    };
  } finally {
    endReading();
  }
}

/** Sends in slices, the client never behind by more than the window; resolves when it has all. */
async function send(generator: GeneratorProcess, received: Received, count: number): Promise<number> {
  const start = received.delivered;
  let sent = 0;
  while (sent < count) {
    sent += await generator.send(Math.min(SLICE, count - sent));
    await received.until(start + sent - WINDOW);
  }
  await received.until(start + sent);
  return sent;
}

async function sendPaced(generator: GeneratorProcess, received: Received, delays: number[]): Promise<number> {
  const start = received.delivered;
  const begin = performance.now();
  let sent = 0;
  while (sent < PACED_PER_SECOND * PACED_SECONDS) {
    if (sent >= PACED_PER_SECOND * PACED_WARM_UP_SECONDS) received.delays = delays;
    sent += await generator.send(BURST);
    const due = begin + (sent / PACED_PER_SECOND) * 1000;
    await delay(Math.max(0, due - performance.now()));
  }
  await received.until(start + sent);
  received.delays = null;
  return sent;
}

async function untilReady(ingestor: IngestorProcess): Promise<PodStatus> {
  const deadline = performance.now() + TIME_LIMIT_MS;
  for (;;) {
    const status = await ingestor.status();
    if (status.ready) return status;
    if (performance.now() > deadline) throw new Error(`the ingestor is not ready: ${status.notReady}`);
    await delay(50);
  }
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
