import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditedTick, OPAQUE_IDS_REMEMBERED, UnitAudit } from './unit-audit.ts';

function tick(sequence: number, more: Partial<AuditedTick> = {}): AuditedTick {
  return {
    producer: 0,
    sequence,
    conflated: 0,
    receiveTime: sequence * 1000,
    tradeId: String(1000 + sequence),
    fillCount: 1,
    isInside: true,
    ...more,
  };
}

function audit(exchange: string, ticks: readonly AuditedTick[], startsAtBeginning = false): UnitAudit {
  const unit = new UnitAudit(exchange, 'BTC-USDT', true, startsAtBeginning);
  for (const each of ticks) unit.take(each);
  return unit;
}

const ranges = (holes: readonly { readonly first: number; readonly last: number }[] | null) =>
  holes?.map(({ first, last }) => [first, last]) ?? null;

describe('UnitAudit', () => {
  it('finds exactly what was removed, added again and moved', () => {
    const sequences = fc.uniqueArray(fc.integer({ min: 2, max: 199 }), { maxLength: 20 });
    fc.assert(
      fc.property(sequences, sequences, (removed, repeated) => {
        const gone = new Set(removed);
        const kept = Array.from({ length: 200 }, (_, place) => place + 1).filter((each) => !gone.has(each));
        const again = repeated.filter((each) => !gone.has(each));
        const unit = audit(
          'binance',
          [...kept, ...again].map((each) => tick(each)),
        );
        const missing = (unit.missingIds() ?? []).flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, place) => first + place - 1000),
        );
        expect(missing).toEqual([...gone].sort((a, b) => a - b));
        expect(ranges(unit.missingSequences())).toEqual(
          ranges(unit.missingIds())!.map(([first, last]) => [first! - 1000, last! - 1000]),
        );
        expect(unit.present).toBe(kept.length);
        expect(unit.duplicates).toBe(again.length);
        expect(unit.outOfOrder).toBe(0);
      }),
    );
  });

  it('counts what comes behind a later one of its producer as out of order, not as a repeat', () => {
    const unit = audit('kraken', [tick(1), tick(3), tick(2), tick(4)]);
    expect(unit).toMatchObject({ present: 4, duplicates: 0, outOfOrder: 1 });
    expect(unit.missingIds()).toEqual([]);
  });

  it('takes an OKX trade for all the fills that it covers', () => {
    const unit = audit('okx', [
      tick(1, { tradeId: '100' }),
      tick(2, { tradeId: '104', fillCount: 4 }),
      tick(3, { tradeId: '108', fillCount: 2 }),
    ]);
    expect(ranges(unit.missingIds())).toEqual([[105, 106]]);
    expect(unit.missingSequences()).toEqual([]);
  });

  it('proves nothing by Bybit’s ids, but knows a repeat by them', () => {
    const unit = audit('bybit-spot', [
      tick(1, { tradeId: 'a' }),
      tick(1, { producer: 1, tradeId: 'a' }),
      tick(2, { producer: 1, tradeId: 'b' }),
      tick(4, { producer: 1, tradeId: 'c' }),
    ]);
    expect(unit.missingIds()).toBeNull();
    expect(unit).toMatchObject({ present: 3, duplicates: 1 });
    expect(unit.missingSequences()).toMatchObject([{ producer: 1, first: 3, last: 3 }]);
  });

  it('remembers so many opaque ids and no more', () => {
    const ids = Array.from({ length: OPAQUE_IDS_REMEMBERED + 1 }, (_, place) =>
      tick(place + 1, { tradeId: `id-${place}` }),
    );
    const unit = audit('bybit-spot', [
      ...ids,
      tick(20_001, { tradeId: `id-${OPAQUE_IDS_REMEMBERED}` }),
      tick(20_002, { tradeId: 'id-0' }),
    ]);
    expect(unit.duplicates).toBe(1);
  });

  it('sees trades of two producers that overlap as repeats, and a change of producer as no hole', () => {
    const unit = audit('binance', [
      tick(1),
      tick(2),
      tick(1, { producer: 1, tradeId: '1002' }),
      tick(2, { producer: 1, tradeId: '1003' }),
    ]);
    expect(unit).toMatchObject({ present: 3, duplicates: 1, outOfOrder: 0 });
    expect(unit.missingIds()).toEqual([]);
    expect(unit.missingSequences()).toEqual([]);
  });

  it('does not miss quotes that a conflated one stands for', () => {
    const quote = { tradeId: null };
    const unit = audit('binance', [
      tick(1, quote),
      tick(5, { ...quote, conflated: 3 }),
      tick(8, { ...quote, conflated: 1 }),
    ]);
    expect(ranges(unit.missingSequences())).toEqual([[6, 6]]);
  });

  it('fills holes with what lies outside the bounds in time, and counts none of it', () => {
    const outside = { isInside: false };
    const unit = audit('binance', [
      tick(1, outside),
      tick(3, outside),
      tick(4),
      tick(6),
      tick(5, outside),
      tick(9, outside),
    ]);
    expect(unit).toMatchObject({ present: 2, duplicates: 0, outOfOrder: 0 });
    expect(unit.missingIds()).toEqual([]);
    expect(unit.missingSequences()).toEqual([]);
  });

  it('expects a producer to begin with 1 where the partition is read from its very first record', () => {
    expect(ranges(audit('binance', [tick(3), tick(4)], true).missingSequences())).toEqual([[1, 2]]);
    expect(audit('binance', [tick(3), tick(4)], false).missingSequences()).toEqual([]);
  });
});
