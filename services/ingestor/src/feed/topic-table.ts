import type { Subscription } from './subscriptions.ts';

/** How the exchange answered to a topic in this session. */
export const ANSWER = { none: 0, confirmed: 1, rejected: 2 } as const;

/** How far a silent topic is on its way through an unsubscription back to its subscription. */
export const AGAIN = { none: 0, unsubscribed: 1, subscribed: 2 } as const;

/** What one session knows of its topics, by their index on the connection: arrays, for the hot path's sake. */
export class TopicTable {
  readonly subscriptions: readonly Subscription[];
  /** One of ANSWER. */
  readonly answer: Uint8Array;
  /** 1 while the next tick of the topic is news. */
  readonly awaited: Uint8Array;
  /** 1 once a tick came. */
  readonly hadData: Uint8Array;
  /** 1 while a silent topic was subscribed again and brought nothing yet. */
  readonly askedAgain: Uint8Array;
  /** One of AGAIN, by what was sent; none once the subscription is answered. */
  readonly again: Uint8Array;
  /** Ticks since the last check, or since the first tick. */
  readonly ticks: Uint32Array;
  /** Monotonic milliseconds from which silence is measured. */
  readonly quietSince: Float64Array;
  private readonly byName = new Map<string, number>();

  constructor(subscriptions: readonly Subscription[], now: number) {
    const size = subscriptions.length;
    this.subscriptions = subscriptions;
    this.answer = new Uint8Array(size);
    this.awaited = new Uint8Array(size).fill(1);
    this.hadData = new Uint8Array(size);
    this.askedAgain = new Uint8Array(size);
    this.again = new Uint8Array(size);
    this.ticks = new Uint32Array(size);
    this.quietSince = new Float64Array(size).fill(now);
    subscriptions.forEach(({ topic }, number) => {
      this.byName.set(topic.name, number);
    });
  }

  /** Indexes of the names that are ours. */
  numbersOf(names: readonly string[]): number[] {
    return names.map((name) => this.byName.get(name)).filter((number) => number !== undefined);
  }

  select(wanted: (topic: number) => boolean): number[] {
    const numbers: number[] = [];
    for (let topic = 0; topic < this.subscriptions.length; topic++) if (wanted(topic)) numbers.push(topic);
    return numbers;
  }

  /** Not confirmed, or silent and asked for once more. */
  needsAsking(topic: number): boolean {
    // A tick after our unsubscription may have been under way before it: it proves no subscription.
    if (this.again[topic] !== AGAIN.none) return true;
    if (this.awaited[topic] === 0) return false;
    return this.answer[topic] !== ANSWER.confirmed || this.askedAgain[topic] === 1;
  }

  /** For a log line: how many, and the first few names. */
  naming(topics: readonly number[]): { topics: number; names: string } {
    const names = topics.slice(0, 10).map((topic) => this.subscriptions[topic]!.topic.name);
    return { topics: topics.length, names: names.join(' ') };
  }
}
