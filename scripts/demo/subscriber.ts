import type { Quote, Records, TickChannel, Trade } from '@tickline/schemas';
import type { TickStamp } from './tick-identity.ts';

/** A tick as its subscriber has it: Kafka's value (valid during the call only), or the decoded record. */
export type TickValue = Buffer | Trade | Quote;

/** Told about everything that a subscriber gets. */
export interface SubscriberListener {
  /** `readTime`: microseconds since 1970. */
  tick(channel: TickChannel, stamp: TickStamp, readTime: number, value: TickValue): void;
  status(status: Records['status']): void;
  /** The subscriber can't go on. */
  failed(error: Error): void;
}

/** Reads everything that a sink puts out, unconflated, as any user of it would. */
export interface Subscriber {
  /** Resolves when nothing of the pods' that comes from now on will be missed; rejects when aborted. */
  ready(signal: AbortSignal): Promise<void>;
  /** Once the pods have ended: resolves when all that they put out was read. */
  reachEnd(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** What all subscribers are given. */
export interface SubscriberContext {
  readonly listener: SubscriberListener;
  /** Where the client's own complaints go. */
  readonly log: (line: string) => void;
}
