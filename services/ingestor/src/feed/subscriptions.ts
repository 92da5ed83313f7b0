import type { SubscriptionState, TickChannel } from '@tickline/schemas';
import type { Topic } from '../exchanges/exchange.ts';
import type { IndexedInstrument } from '../exchanges/instrument.ts';
import type { DataRhythm } from './data-rhythm.ts';
import type { Session, SubscriptionChange } from './feed.ts';

/**
 * What moves a subscription: it is wanted (`requested`), the exchange confirmed it
 * (`acknowledged`), a tick came (`data`), ticks stopped coming (`silent`), the exchange refused it
 * (`rejected`), its session ended (`lost`).
 */
export type SubscriptionEvent = 'requested' | 'acknowledged' | 'data' | 'silent' | 'rejected' | 'lost';

const TRANSITIONS: Record<SubscriptionState | 'none', Record<SubscriptionEvent, SubscriptionState | null>> = {
  none: { requested: 'requested', acknowledged: null, data: null, silent: null, rejected: null, lost: null },
  requested: {
    requested: 'requested',
    acknowledged: 'acknowledged',
    data: 'live',
    silent: 'requested',
    rejected: 'rejected',
    lost: 'requested',
  },
  acknowledged: {
    requested: 'acknowledged',
    acknowledged: 'acknowledged',
    data: 'live',
    silent: 'stale',
    rejected: 'rejected',
    lost: 'requested',
  },
  live: {
    requested: 'live',
    acknowledged: 'live',
    data: 'live',
    silent: 'stale',
    rejected: 'rejected',
    lost: 'requested',
  },
  // An acknowledgement is no proof of life for what was acknowledged before and stayed silent.
  stale: {
    requested: 'stale',
    acknowledged: 'stale',
    data: 'live',
    silent: 'stale',
    rejected: 'rejected',
    lost: 'requested',
  },
  // Asked again now and then, and in every new session, but it stays rejected until the exchange says otherwise.
  rejected: {
    requested: 'rejected',
    acknowledged: 'acknowledged',
    data: 'live',
    silent: 'rejected',
    rejected: 'rejected',
    lost: 'rejected',
  },
};

/** The state after an event; null: the event says nothing to a subscription that was never wanted. */
export function stateAfter(
  from: SubscriptionState | null,
  event: SubscriptionEvent,
): SubscriptionState | null {
  return TRANSITIONS[from ?? 'none'][event];
}

/** One (channel, symbol) that this feed keeps up, whichever session carries it. */
export interface Subscription {
  readonly channel: TickChannel;
  readonly instrument: IndexedInstrument;
  readonly topic: Topic;
  readonly rhythm: DataRhythm;
  state: SubscriptionState | null;
  /** Epoch milliseconds of the last change. */
  since: number;
  reason: string;
  /** Confirmed in a session that ended since: the next confirmation is a reconnect. */
  lost: boolean;
}

/** Keeps the states, counts them, and tells of each change once. */
export class Subscriptions {
  readonly all: readonly Subscription[];
  private readonly counts = emptyCounts();
  private readonly epoch: () => number;
  private readonly changed: (change: SubscriptionChange) => void;

  constructor(
    all: readonly Subscription[],
    epoch: () => number,
    changed: (change: SubscriptionChange) => void,
  ) {
    this.all = all;
    this.epoch = epoch;
    this.changed = changed;
  }

  count(state: SubscriptionState): number {
    return this.counts[state];
  }

  apply(subscription: Subscription, event: SubscriptionEvent, session: Session | null, reason: string): void {
    const from = subscription.state;
    const to = stateAfter(from, event);
    if (to === null) return;
    if (event === 'lost' && from !== 'requested' && from !== 'rejected') subscription.lost = true;
    if (to === from) {
      // The newest reason is what people need to see of one that hangs.
      if (reason !== '' && from !== 'live') subscription.reason = reason;
      return;
    }
    const reconnected = subscription.lost && (event === 'acknowledged' || event === 'data');
    if (reconnected) subscription.lost = false;
    if (from !== null) this.counts[from]--;
    this.counts[to]++;
    subscription.state = to;
    subscription.since = this.epoch();
    subscription.reason = reason;
    this.changed({
      exchange: subscription.instrument.exchange,
      channel: subscription.channel,
      instrument: subscription.instrument,
      from,
      to,
      session,
      reason,
      reconnected,
    });
  }
}

export function emptyCounts(): Record<SubscriptionState, number> {
  return { requested: 0, acknowledged: 0, live: 0, stale: 0, rejected: 0 };
}
