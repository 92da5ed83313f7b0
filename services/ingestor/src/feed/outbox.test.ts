import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox.ts';

describe('Outbox', () => {
  it('gives in order, and does not wait for what is due later', () => {
    const outbox = new Outbox();
    expect(outbox.nextDue()).toBe(Infinity);
    outbox.add({ kind: 'subscribe', topics: [0], notBefore: 50, attempt: 2 });
    outbox.add({ kind: 'subscribe', topics: [1], notBefore: 10, attempt: 1 });
    outbox.add({ kind: 'unsubscribe', topics: [2], notBefore: 10, attempt: 1 });
    expect(outbox.nextDue()).toBe(10);
    expect(outbox.takeDue(9)).toBeNull();
    expect(outbox.takeDue(10)?.topics).toEqual([1]);
    expect(outbox.has('unsubscribe')).toBe(true);
    expect(outbox.takeDue(60)?.topics).toEqual([0]);
    expect(outbox.takeDue(60)?.topics).toEqual([2]);
    expect(outbox.takeDue(60)).toBeNull();
    expect(outbox.has('unsubscribe')).toBe(false);
  });
});
