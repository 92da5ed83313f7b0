import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceCount, StreamEnds } from './sequence-count.ts';

const tick = (sequence: number, conflated = 0, changes = {}) => ({
  producer: 'p',
  exchange: 'okx',
  symbol: 'BTC-USDT',
  sequence,
  conflated,
  ...changes,
});

function counted(...ticks: ReturnType<typeof tick>[]): SequenceCount {
  const count = new SequenceCount();
  for (const each of ticks) count.tick('quotes', each);
  return count;
}

describe('SequenceCount', () => {
  it('counts from the first tick on, wherever that is', () => {
    expect(counted(tick(7), tick(8), tick(9))).toMatchObject({ delivered: 3, holes: 0, duplicates: 0 });
  });

  it('takes a hole for lost, and what a tick stands for not', () => {
    expect(counted(tick(1), tick(4))).toMatchObject({ delivered: 2, holes: 2 });
    expect(counted(tick(1), tick(4, 2))).toMatchObject({ delivered: 2, holes: 0 });
    expect(counted(tick(1), tick(9, 3))).toMatchObject({ delivered: 2, holes: 4 });
  });

  it('counts duplicates apart', () => {
    expect(counted(tick(1), tick(2), tick(1), tick(2), tick(3))).toMatchObject({
      delivered: 3,
      duplicates: 2,
      holes: 0,
    });
  });

  it('tells producers, exchanges, symbols and channels apart', () => {
    const count = counted(
      tick(1),
      tick(5, 0, { producer: 'q' }),
      tick(9, 0, { exchange: 'kraken' }),
      tick(13, 0, { symbol: 'ETH-USDT' }),
    );
    count.tick('trades', tick(17));
    count.tick('quotes', tick(2));
    expect(count).toMatchObject({ delivered: 6, holes: 0, duplicates: 0 });
  });

  it('knows the ends from the others: a lost tail, and a stream that never came', () => {
    const ends = new StreamEnds();
    const whole = new SequenceCount(ends);
    const cut = new SequenceCount(ends);
    for (let sequence = 1; sequence <= 10; sequence++) {
      whole.tick('quotes', tick(sequence));
      if (sequence <= 6 && sequence !== 3) cut.tick('quotes', tick(sequence));
    }
    whole.tick('trades', tick(1));
    whole.tick('trades', tick(2));
    expect(cut.holes).toBe(1);
    expect(cut.lostAtEnd()).toBe(1 + 4 + 2);
    expect(whole.lostAtEnd()).toBe(0);
  });

  it('finds every tick that is left out, but for those before the first', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1 }), (came) => {
        const ends = new StreamEnds();
        const whole = new SequenceCount(ends);
        const part = new SequenceCount(ends);
        for (const [at, comes] of came.entries()) {
          whole.tick('quotes', tick(at + 1));
          if (comes) part.tick('quotes', tick(at + 1));
        }
        const first = came.indexOf(true);
        expect(part.delivered).toBe(came.filter(Boolean).length);
        expect(part.lostAtEnd()).toBe(came.filter((comes, at) => !comes && at > first).length);
      }),
    );
  });
});
