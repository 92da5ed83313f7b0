import { describe, expect, it } from 'vitest';
import { type CountedTick, sequenceHoles } from './sequence-holes.ts';

const tick = (sequence: number, more: Partial<CountedTick> = {}): CountedTick => ({
  ...{ producer: 'p', exchange: 'okx', symbol: 'BTC-USDT', sequence, conflated: 0 },
  ...more,
});

describe('holes in what a producer counted', () => {
  it('are none from 1 on, in any order, conflated or written twice', () => {
    expect(sequenceHoles([tick(2), tick(1), tick(2), tick(6, { conflated: 3 })])).toEqual([]);
  });

  it('are told by producer, exchange and symbol, at the beginning too', () => {
    expect(
      sequenceHoles([
        ...[tick(2), tick(5), tick(6)],
        ...[
          tick(1, { producer: 'q' }),
          tick(1, { symbol: 'ETH-USDT' }),
          tick(4, { symbol: 'ETH-USDT', conflated: 1 }),
        ],
      ]),
    ).toEqual(['p okx BTC-USDT 1', 'p okx BTC-USDT 3 to 4', 'p okx ETH-USDT 2']);
  });
});
