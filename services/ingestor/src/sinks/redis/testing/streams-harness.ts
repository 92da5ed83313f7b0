import type { SinkListener, SinkLoss, StreamDescriptor } from '../../sink.ts';
import type { SinkLog } from '../../sink-log.ts';
import { settle as settleTimers, VirtualClock } from '../../testing/virtual-clock.ts';
import type { RedisStreamsOptions } from '../options.ts';
import { RedisStreamsSink } from '../redis-streams-sink.ts';
import { FakeLink, settle, type WaitingCall } from './fake-link.ts';
import type { FedTick } from './tick-feed.ts';

/** A sink whose Redis, clock and listener are the test's. */
export class StreamsHarness {
  readonly link = new FakeLink();
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly lost: (SinkLoss & { readonly symbol: string })[] = [];
  readonly calls: string[] = [];
  readonly sink: RedisStreamsSink;
  /** What the script appended, in order. */
  readonly written: FedTick[] = [];

  constructor(given: Partial<RedisStreamsOptions> = {}) {
    this.sink = new RedisStreamsSink(
      {
        format: 'json',
        key: 'md:{topic}:{exchange}',
        maxLength: 1000,
        maxAgeMs: Number.POSITIVE_INFINITY,
        isCluster: false,
        queueBytes: 1024 * 1024,
        batchBytes: 16 * 1024,
        lingerMs: 0,
        log: linesInto(this.lines),
        clock: this.clock,
        random: () => 0.5,
        ...given,
      },
      this.link,
    );
  }

  async start(): Promise<this> {
    await this.sink.start(this.listener());
    return this;
  }

  async startConnected(): Promise<this> {
    await this.start();
    this.link.connect();
    return this;
  }

  /** Carries out what is called, as Redis would, until nothing is called any more. */
  async serve(): Promise<void> {
    for (;;) {
      await this.settle();
      const call = this.link.calls.shift();
      if (call === undefined) return;
      this.carryOut(call);
    }
  }

  carryOut(call: WaitingCall, mark = Number(call.args[0]) - 1): void {
    for (const { value } of call.entries) this.written.push(JSON.parse(value) as FedTick);
    call.answer([mark]);
  }

  async settle(): Promise<void> {
    await settle();
    await settleTimers();
  }

  private listener(): SinkListener {
    return {
      full: () => this.calls.push('full'),
      drained: () => this.calls.push('drained'),
      lost: ({ symbol }: StreamDescriptor, loss) => this.lost.push({ symbol, ...loss }),
      repeated: () => this.calls.push('repeated'),
    };
  }
}

/** A log whose lines are `level event: message`. */
export function linesInto(lines: string[]): SinkLog {
  const line = (level: string) => (event: string, message: string) => {
    lines.push(`${level} ${event}: ${message}`);
  };
  return { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
}
