import type {
  ConnectionStatus,
  ExchangeName,
  SubscriptionState,
  SubscriptionStatus,
  TickChannel,
} from '@tickline/schemas';
import type { Control } from '../exchanges/exchange.ts';
import type { IndexedInstrument } from '../exchanges/instrument.ts';

/** One life of a connection, from open to close. */
export interface Session {
  readonly exchange: ExchangeName;
  /** `binance-0`: the slot, stable over reconnects. */
  readonly connection: string;
  /** Random id, 12 characters. */
  readonly id: string;
  /** Number of this session in the pod's life, from 1: cheap to compare and index by. */
  readonly ordinal: number;
}

/** What the feed gives its owner. Frames come synchronously from the socket's data event. */
export interface FeedListener {
  /**
   * One text message: `bytes[start, end)`, valid during the call only. `receiveTime`: microseconds,
   * read once for each chunk that the socket gave, before any queue. What the listener finds in it,
   * it reports back to the session (`control`, `data`).
   */
  frame(session: FeedSession, bytes: Uint8Array, start: number, end: number, receiveTime: number): void;
  /** A subscription changed its state; `reconnected` says the first acknowledgement after a reconnect. */
  subscription(change: SubscriptionChange): void;
  /**
   * Make before break: from `begin` to `end` both sessions may deliver the same ticks, and the
   * listener is to drop the repeats. `begin` is called before the socket of `to` is opened; `end`
   * when one of the two is closed: usually `from`, but `to` when the replacement failed.
   */
  handover(phase: 'begin' | 'end', from: FeedSession, to: FeedSession): void;
}

/** The listener's handle on the session that a frame came from. */
export interface FeedSession extends Session {
  /** A control message was decoded from a frame of this session. */
  control(control: Control): void;
  /** A tick of this instrument and channel arrived: first data confirms, and silence is measured from here. Hot path: cheap. */
  data(channel: TickChannel, slot: number): void;
}

export interface SubscriptionChange {
  readonly exchange: ExchangeName;
  readonly channel: TickChannel;
  readonly instrument: IndexedInstrument;
  readonly from: SubscriptionState | null;
  readonly to: SubscriptionState;
  readonly session: Session | null;
  /** For people: the exchange's text of a rejection, why a socket was lost, how long it was silent. */
  readonly reason: string;
  /** True on the first acknowledgement in a new session after one was lost. */
  readonly reconnected: boolean;
}

/** All connections of one exchange in this pod. */
export interface Feed {
  readonly exchange: ExchangeName;
  /** Opens what is needed and keeps it up until `stop`. Returns at once. */
  start(): void;
  /** Stops reading sockets (queues are full); our own pause is not staleness. A socket opened meanwhile is paused too. */
  pause(): void;
  resume(): void;
  /**
   * Unsubscribes, delivers what still arrives until that is acknowledged, closes; resolves when all
   * sockets are closed or after `budgetMs`. A paused socket is closed at once, unread.
   */
  stop(budgetMs: number): Promise<void>;
  connections(): ConnectionStatus[];
  notLive(): SubscriptionStatus[];
  /** True when every subscription is acknowledged, live, or rejected. */
  settled(): boolean;
  /** Subscriptions that the exchange confirmed: acknowledged, live or stale. */
  subscriptionCount(): number;
  /** Open sockets, both of a handover included. */
  activeConnections(): number;
  /** Sessions and connection attempts that ended and were followed by another; by reason in `connections()`. */
  reconnects(): number;
  /** Exceptions of the listener that were caught. */
  listenerFailures(): number;
}

export { createFeed, FeedOptionsError } from './connection-manager.ts';
export type { FeedOptions } from './feed-options.ts';
