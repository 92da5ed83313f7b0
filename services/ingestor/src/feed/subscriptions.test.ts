import type { SubscriptionState } from '@tickline/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataRhythm } from './data-rhythm.ts';
import type { SubscriptionChange } from './feed.ts';
import { testInstrument } from './scripted-exchange.ts';
import type { Subscription, SubscriptionEvent } from './subscriptions.ts';
import { Subscriptions, stateAfter } from './subscriptions.ts';

const EVENTS: SubscriptionEvent[] = ['requested', 'acknowledged', 'data', 'silent', 'rejected', 'lost'];

describe('stateAfter', () => {
  it.each<[SubscriptionState | null, (SubscriptionState | null)[]]>([
    [null, ['requested', null, null, null, null, null]],
    ['requested', ['requested', 'acknowledged', 'live', 'requested', 'rejected', 'requested']],
    ['acknowledged', ['acknowledged', 'acknowledged', 'live', 'stale', 'rejected', 'requested']],
    ['live', ['live', 'live', 'live', 'stale', 'rejected', 'requested']],
    ['stale', ['stale', 'stale', 'live', 'stale', 'rejected', 'requested']],
    ['rejected', ['rejected', 'acknowledged', 'live', 'rejected', 'rejected', 'rejected']],
  ])('from %s', (from, expected) => {
    expect(EVENTS.map((event) => stateAfter(from, event))).toEqual(expected);
  });
});

function bookOf(size: number): { book: Subscriptions; changes: SubscriptionChange[] } {
  const all = Array.from({ length: size }, (_, slot): Subscription => {
    const instrument = testInstrument(slot);
    return {
      channel: 'trades',
      instrument,
      topic: { name: instrument.symbol, channel: 'trades', instrument, requestGroup: '', characters: 1 },
      rhythm: new DataRhythm(),
      state: null,
      since: 0,
      reason: '',
      lost: false,
    };
  });
  const changes: SubscriptionChange[] = [];
  return {
    book: new Subscriptions(
      all,
      () => 7,
      (change) => changes.push(change),
    ),
    changes,
  };
}

describe('Subscriptions', () => {
  it('counts are always those of the states, and only changes are told', () => {
    const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...EVENTS)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(events, (given) => {
        const { book, changes } = bookOf(4);
        for (const [at, event] of given) book.apply(book.all[at]!, event, null, '');
        for (const state of ['requested', 'acknowledged', 'live', 'stale', 'rejected'] as const) {
          expect(book.count(state)).toBe(book.all.filter((one) => one.state === state).length);
        }
        for (const { from, to } of changes) expect(from).not.toBe(to);
      }),
    );
  });

  it('tells the first confirmation after a loss as a reconnect, once', () => {
    const { book, changes } = bookOf(1);
    const one = book.all[0]!;
    for (const event of [
      'requested',
      'lost',
      'acknowledged',
      'data',
      'lost',
      'acknowledged',
      'data',
    ] as const) {
      book.apply(one, event, null, event);
    }
    expect(changes.map(({ to, reconnected }) => [to, reconnected])).toEqual([
      ['requested', false],
      ['acknowledged', false],
      ['live', false],
      ['requested', false],
      ['acknowledged', true],
      ['live', false],
    ]);
  });

  it('keeps the newest reason of one that hangs', () => {
    const { book } = bookOf(1);
    const one = book.all[0]!;
    book.apply(one, 'requested', null, 'not asked for yet');
    book.apply(one, 'requested', null, 'no acknowledgement');
    expect(one.reason).toBe('no acknowledgement');
  });
});
