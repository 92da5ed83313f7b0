/**
 * Ticks to a real gRPC client, Kafka off: per core-second of the ingestor process at full speed, and the delay
 * from the socket to the client at 10,000 ticks a second.
 *
 * At full speed the generator is held back to what the client has read: on two cores client, generator and
 * ingestor take turns, and the figure is CPU time of the ingestor, not time on the clock.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PodStatus } from '@tickline/schemas';
import { MarketDataClient, type TickEvent } from '@tickline/schemas/grpc';
import { freePort } from '../../scripts/stack/free-port.ts';
import { type GeneratorProcess, startGenerator } from './generator-process.ts';
import { type IngestorProcess, startIngestor } from './ingestor-process.ts';

export const description = 'Binance trades over loopback to a gRPC client, Kafka off';

const MESSAGES = 3_000_000;
const WARM_UP = 500_000;
/** Most that the client may be behind the generator. */
const WINDOW = 40_000;
const SLICE = 10_000;
const PACED_PER_SECOND = 10_000;
const PACED_SECONDS = 15;
/** The first seconds warm up the quiet path, which the full speed did not take. */
const PACED_WARM_UP_SECONDS = 3;
/** Ticks come singly in life: a few at once, many times a second. */
const BURST = 10;
const TIME_LIMIT_MS = 120_000;

interface Result {
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

/** What the client has, counted by sequence. */
class Received {
  delivered = 0;
  /** Delays in milliseconds; not kept while null. */
  delays: number[] | null = null;
  private readonly sequences = new Map<string, number>();
  private wake: (() => void) | null = null;

  take(events: readonly TickEvent[]): void {
    const now = (performance.timeOrigin + performance.now()) * 1000;
    for (const event of events) {
      if (event.kind !== 'trade') continue;
      const { symbol, sequence, receiveTime } = event.record;
      if (sequence <= (this.sequences.get(symbol) ?? 0)) continue;
      this.sequences.set(symbol, sequence);
      this.delivered++;
      this.delays?.push((now - receiveTime) / 1000);
    }
    this.wake?.();
  }

  /** Resolves when so many ticks have come. */
  async until(count: number): Promise<void> {
    const limit = AbortSignal.timeout(TIME_LIMIT_MS);
    while (this.delivered < count) {
      if (limit.aborted) throw new Error(`waited in vain for ${count} ticks, there are ${this.delivered}`);
      await Promise.race([
        new Promise<void>((resolve) => {
          this.wake = resolve;
        }),
        delay(1_000),
      ]);
    }
  }
}

export async function run({ messages = MESSAGES }: { messages: number | undefined }): Promise<Result> {
  const generator = await startGenerator();
  try {
    const port = await freePort();
    const ingestor = await startIngestor('services/ingestor/src/main.ts', [
      '--kafka.enabled=false',
      '--grpc.enabled=true',
      `--grpc.port=${port}`,
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
      return await measure(generator, ingestor, `127.0.0.1:${port}`, messages);
    } finally {
      await ingestor.stop();
    }
  } finally {
    generator.stop();
  }
}

async function measure(
  generator: GeneratorProcess,
  ingestor: IngestorProcess,
  address: string,
  messages: number,
): Promise<Result> {
  await untilReady(ingestor);
  const client = new MarketDataClient({ addresses: [address] });
  const received = new Received();
  const subscription = client.subscribe({ symbols: ['*'] });
  const reading = (async () => {
    for await (const events of subscription.batches()) received.take(events);
  })();
  try {
    await firstTick(generator, received);
    // What came before the subscription stood is not counted: from here on everything is.
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
      ok: json.lost === 0 && json.ticks >= messages,
      json,
      text: `${json.ticksPerCoreSecond.toLocaleString('en')} ticks per core-second to one client, ${json.lost} of ${json.ticks} lost; at ${PACED_PER_SECOND}/s from socket to client p50 ${json.p50Ms} ms, p99 ${json.p99Ms} ms`,
    };
  } finally {
    client.close();
    await reading;
  }
}

/** Sends until the subscription brings something, and then waits for what is on its way. */
async function firstTick(generator: GeneratorProcess, received: Received): Promise<void> {
  while (received.delivered === 0) {
    await generator.send(BURST);
    await delay(50);
  }
  for (let last = -1; last !== received.delivered; ) {
    last = received.delivered;
    await delay(300);
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
    if (received.delays === null && sent >= PACED_PER_SECOND * PACED_WARM_UP_SECONDS)
      received.delays = delays;
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
