import { describe, expect, it } from 'vitest';
import { RequestLedger } from './request-ledger.ts';

function ledgerOf(): RequestLedger {
  const ledger = new RequestLedger();
  ledger.add(1, 'subscribe', [0, 1], 1, 100);
  ledger.add(2, 'unsubscribe', [2], 1, 110);
  ledger.add(3, 'subscribe', [1, 3], 2, 120);
  return ledger;
}

describe('RequestLedger', () => {
  it('finds by id, else the oldest, of a kind when asked', () => {
    const ledger = ledgerOf();
    expect(ledger.find(3)?.id).toBe(3);
    expect(ledger.find(9)).toBeUndefined();
    expect(ledger.find(null)?.id).toBe(1);
    expect(ledger.find(null, 'unsubscribe')?.id).toBe(2);
    expect(ledger.holding(3, 'subscribe')?.id).toBe(3);
    expect(ledger.holding(1, 'subscribe')?.id).toBe(1);
    expect(ledger.holding(2, 'subscribe')).toBeUndefined();
  });

  it('closes a request when its last topic is settled', () => {
    const ledger = ledgerOf();
    const first = ledger.find(1)!;
    ledger.settle(first, 0);
    expect(ledger.find(1)).toBe(first);
    ledger.settle(first, 1);
    expect(ledger.find(1)).toBeUndefined();
    expect(ledger.has('unsubscribe')).toBe(true);
    ledger.close(ledger.find(2)!);
    expect(ledger.has('unsubscribe')).toBe(false);
  });

  it('gives out what is overdue once', () => {
    const ledger = ledgerOf();
    expect(ledger.nextDeadline()).toBe(100);
    expect(ledger.takeOverdue(110).map(({ id }) => id)).toEqual([1, 2]);
    expect(ledger.takeOverdue(110)).toEqual([]);
    expect(ledger.nextDeadline()).toBe(120);
  });

  it('repeats what was throttled at one moment, and waits longer after a pause', () => {
    const ledger = ledgerOf();
    ledger.repeatAt(500);
    expect(ledger.takeOverdue(200).map(({ id, repeat }) => [id, repeat])).toEqual([[2, false]]);
    ledger.extendTo(400);
    expect(ledger.nextDeadline()).toBe(500);
    ledger.extendTo(600);
    expect(ledger.takeOverdue(600).map(({ id, repeat }) => [id, repeat])).toEqual([
      [1, true],
      [3, true],
    ]);
    expect(ledger.nextDeadline()).toBe(Infinity);
  });
});
