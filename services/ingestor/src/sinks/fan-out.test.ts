import { describe, expect, it } from 'vitest';
import { FanOut } from './fan-out.ts';
import { type DeadLetter, EncodedTick, type Sink, type SinkListener, type StreamDescriptor } from './sink.ts';

const listener: SinkListener = { full() {}, drained() {}, lost() {}, repeated() {} };
const descriptor: StreamDescriptor = {
  topic: 'trades',
  exchange: 'okx',
  symbol: 'BTC-USDT',
  channel: 'trades',
  key: 'BTC-USDT',
  overflow: 'keep',
};

class FakeSink implements Sink {
  readonly format = 'avro';
  readonly mayRefuse = false;
  readonly name: string;
  readonly taken: number[] = [];
  readonly letters: DeadLetter[] = [];
  takes = true;
  flushes = true;
  refusal: Error | null = null;
  closed = 0;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<void> {
    if (this.refusal !== null) throw this.refusal;
  }

  stream() {
    return {
      append: (tick: EncodedTick) => {
        if (this.takes) this.taken.push(tick.sequence);
        return this.takes;
      },
    };
  }

  deadLetter(letter: DeadLetter): void {
    this.letters.push(letter);
  }

  async flush(): Promise<boolean> {
    return this.flushes;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  status() {
    return {
      sink: this.name,
      healthy: true,
      detail: null,
      queuedRecords: 0,
      queuedBytes: 0,
      queueLimitBytes: 0,
      acknowledged: this.taken.length,
      dropped: 0,
    };
  }
}

describe('FanOut', () => {
  it('gives the only sink’s own stream', () => {
    const sink = new FakeSink('kafka');
    const own = { append: () => true };
    sink.stream = () => own;
    expect(new FanOut([sink]).stream(descriptor)).toBe(own);
  });

  it('gives each tick to all sinks, whatever one of them says', () => {
    const [one, two, three] = [new FakeSink('a'), new FakeSink('b'), new FakeSink('c')];
    const fanOut = new FanOut([one, two, three]);
    const stream = fanOut.stream(descriptor);
    const tick = new EncodedTick();
    tick.sequence = 1;
    expect(stream.append(tick)).toBe(true);
    two.takes = false;
    tick.sequence = 2;
    expect(stream.append(tick)).toBe(false);
    expect([one.taken, two.taken, three.taken]).toEqual([[1, 2], [1], [1, 2]]);
    expect([...fanOut.formats]).toEqual(['avro']);
    expect(fanOut.status().map(({ sink, acknowledged }) => [sink, acknowledged])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', 2],
    ]);
  });

  it('closes all when one refuses to start', async () => {
    const [one, two] = [new FakeSink('a'), new FakeSink('b')];
    two.refusal = new Error('kafka.brokers is wrong');
    await expect(new FanOut([one, two]).start(() => listener)).rejects.toThrow('kafka.brokers is wrong');
    expect([one.closed, two.closed]).toEqual([1, 1]);
  });

  it('has flushed when all have', async () => {
    const [one, two] = [new FakeSink('a'), new FakeSink('b')];
    const fanOut = new FanOut([one, two]);
    expect(await fanOut.flush(100)).toBe(true);
    one.flushes = false;
    expect(await fanOut.flush(100)).toBe(false);
  });

  it('hands dead letters to all, and reads only sinks that count', () => {
    const [one, two] = [new FakeSink('a'), new FakeSink('b')];
    const fanOut = new FanOut([one, two]);
    const letter = {
      exchange: 'okx',
      frame: new Uint8Array(0),
      stage: 'decode',
      reason: 'not-json',
      detail: '',
      session: '',
      timestampMs: 0,
    };
    fanOut.deadLetter(letter);
    expect([one.letters, two.letters]).toEqual([[letter], [letter]]);
    expect(fanOut.readings()).toEqual([]);
  });

  it('takes ticks for nobody when there is no sink', () => {
    const fanOut = new FanOut([]);
    expect(fanOut.stream(descriptor).append(new EncodedTick())).toBe(true);
    expect(fanOut.formats.size).toBe(0);
  });
});
