import { describe, expect, it } from 'vitest';
import type { Quote } from '../generated/records.ts';
import { Continuity } from './continuity.ts';
import type { TickRecord } from './records.ts';

function quote(sequence: number, conflated = 0, producer = 'a', symbol = 'BTC-USDT'): TickRecord {
  const record: Quote = {
    exchange: 'binance',
    symbol,
    exchangeSymbol: symbol,
    producer,
    session: 's',
    exchangeTime: null,
    receiveTime: 1,
    sequence,
    conflated,
    bidPrice: null,
    bidQuantity: null,
    askPrice: null,
    askQuantity: null,
    bidContracts: null,
    askContracts: null,
    updateId: null,
  };
  return { kind: 'quote', channel: 'quotes', record };
}

describe('Continuity', () => {
  it('begins anywhere, and follows', () => {
    const continuity = new Continuity();
    expect([quote(7), quote(8), quote(12, 3)].map((tick) => continuity.check(tick))).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('names what is missing', () => {
    const continuity = new Continuity();
    continuity.check(quote(7));
    expect(continuity.check(quote(12, 1))).toMatchObject({
      kind: 'gap',
      firstSequence: 8,
      lastSequence: 10,
      producer: 'a',
    });
  });

  it('leaves out what came before', () => {
    const continuity = new Continuity();
    continuity.check(quote(7));
    expect([continuity.check(quote(7)), continuity.check(quote(6)), continuity.check(quote(8))]).toEqual([
      'repeated',
      'repeated',
      null,
    ]);
  });

  it('does not know how many are missing when the pod began a new life', () => {
    const continuity = new Continuity();
    continuity.check(quote(7));
    expect(continuity.check(quote(1, 0, 'b'))).toMatchObject({ producer: 'a', firstSequence: null });
    expect(continuity.check(quote(2, 0, 'b'))).toBeNull();
  });

  it('follows each symbol for itself', () => {
    const continuity = new Continuity();
    continuity.check(quote(7));
    expect(continuity.check(quote(1, 0, 'a', 'ETH-USDT'))).toBeNull();
    expect(continuity.check(quote(8))).toBeNull();
  });
});
