import type { Control, Exchange, FeedLimits, Topic } from '../exchanges/exchange.ts';
import { Backoff } from './backoff.ts';
import { saysAlreadySubscribed, saysTooManyTopics } from './exchange-texts.ts';
import type { FeedTimings } from './feed-options.ts';
import { MessageBudget } from './message-budget.ts';
import { type Batch, Outbox } from './outbox.ts';
import { requestBatches } from './request-batches.ts';
import { type RequestKind, RequestLedger, type SentRequest } from './request-ledger.ts';
import { AGAIN, ANSWER, type TopicTable } from './topic-table.ts';

export interface TopicRequestsSettings {
  readonly exchange: Pick<Exchange, 'subscribe' | 'unsubscribe'>;
  readonly limits: FeedLimits;
  readonly timings: FeedTimings;
  readonly random: () => number;
}

/** Topics by their index on the connection. */
export interface TopicRequestsHandler {
  send(text: string): void;
  confirmed(topic: number, now: number): void;
  rejected(topic: number, reason: string): void;
  /** Asked twice without an answer; asked again after so many milliseconds. */
  unanswered(topics: readonly number[], retryInMs: number): void;
  /** The exchange takes no more topics on this connection. */
  tooManyTopics(reason: string): void;
  /** A rejection that belongs to none of our requests. */
  unmatched(reason: string): void;
}

type Rejected = Extract<Control, { kind: 'rejected' }>;

/**
 * Asks for the topics of one session: requests within the message budget, answers matched to them,
 * what is not answered asked again, and what was refused together taken apart. Times are monotonic
 * milliseconds, given by the caller; `work` is to be called when `due` says.
 */
export class TopicRequests {
  private readonly settings: TopicRequestsSettings;
  private readonly table: TopicTable;
  private readonly handler: TopicRequestsHandler;
  private readonly ledger = new RequestLedger();
  private readonly outbox = new Outbox();
  private readonly budget: MessageBudget;
  private readonly askAgain: Backoff;
  /** Topics that were rejected, and when each is asked for again. */
  private readonly rejections = new Map<number, { readonly backoff: Backoff; againAt: number }>();
  private requests = 0;
  private holdUntil = -Infinity;
  private recoverAt = Infinity;
  private retryAt = -Infinity;
  /** Only unsubscriptions from now on. */
  private leaving = false;

  constructor(
    settings: TopicRequestsSettings,
    table: TopicTable,
    handler: TopicRequestsHandler,
    now: number,
  ) {
    this.settings = settings;
    this.table = table;
    this.handler = handler;
    this.budget = new MessageBudget(settings.limits, now);
    this.askAgain = new Backoff(settings.timings.askAgain, settings.random);
  }

  /** True while an unsubscription waits to be sent or answered. */
  get unsubscribing(): boolean {
    return this.outbox.has('unsubscribe') || this.ledger.has('unsubscribe');
  }

  /** Counts a message that does not wait (ping, pong), and gives it an id. */
  spend(now: number): number {
    this.budget.spend(now);
    return ++this.requests;
  }

  /** Milliseconds until a ping may be sent. */
  pingWaitMs(now: number): number {
    return this.budget.pingWaitMs(now);
  }

  subscribeAll(now: number): void {
    const wasRejected = (topic: number) => this.table.subscriptions[topic]!.state === 'rejected';
    const wanted = this.table.select((topic) => !wasRejected(topic));
    this.enqueue('subscribe', wanted, 1, now);
    // Rejected before: each alone and last, so that it spoils no other request.
    for (const topic of this.table.select(wasRejected)) {
      this.outbox.add({ kind: 'subscribe', topics: [topic], notBefore: now, attempt: 1 });
    }
  }

  /** Unsubscribes these and subscribes them again. */
  resubscribe(topics: readonly number[], now: number): void {
    this.enqueue('unsubscribe', topics, 1, now);
    this.enqueue('subscribe', topics, 1, now);
  }

  /** Drops what waits and unsubscribes everything. */
  unsubscribeAll(now: number): void {
    this.leaving = true;
    this.outbox.clear();
    const held = this.table.select((topic) => this.table.answer[topic] !== ANSWER.rejected);
    this.enqueue('unsubscribe', held, 1, now);
  }

  /** Sends and repeats what is due. `reading`: answers can arrive, so that a missing one means something. */
  work(now: number, reading: boolean): void {
    if (reading) this.answersDue(now);
    this.send(now);
    if (now < this.recoverAt) return;
    this.recoverAt = this.budget.recover(now) ? now + this.settings.timings.throttleRecoveryMs : Infinity;
  }

  /** When `work` is to be called; Infinity: there is nothing to do. */
  due(now: number, reading: boolean): number {
    const waiting = this.outbox.nextDue();
    const sending =
      waiting === Infinity ? Infinity : Math.max(waiting, this.holdUntil, now + this.budget.waitMs(now));
    return Math.min(sending, this.recoverAt, reading ? this.ledger.nextDeadline() : Infinity);
  }

  /** Answers could not arrive until now. */
  readAgain(now: number): void {
    this.ledger.extendTo(now + this.settings.timings.ackTimeoutMs);
  }

  /** An `ack` or an `unsubscribed`. */
  acknowledged(id: number | null, names: readonly string[] | null, said: RequestKind, now: number): void {
    const request = id !== null || names === null ? this.ledger.find(id, oldestOf(id, said)) : undefined;
    // Some exchanges answer both kinds alike: what we asked decides.
    const kind = request?.kind ?? said;
    const topics = names === null ? [...(request?.pending ?? [])] : this.table.numbersOf(names);
    for (const topic of topics) {
      this.settle(topic, kind, request);
      if (kind === 'subscribe') this.confirm(topic, now);
    }
  }

  refused(control: Rejected, now: number): void {
    const text = control.code === null ? control.reason : `${control.code}: ${control.reason}`;
    const named = control.topics === null ? [] : this.table.numbersOf(control.topics);
    const byId =
      control.request !== null || named.length === 0 ? this.ledger.find(control.request) : undefined;
    const request = byId ?? this.holderOf(named);
    if (request?.kind === 'unsubscribe') {
      // Not subscribed any more, or never: what we wanted.
      this.ledger.close(request);
      return;
    }
    if (this.leaving) return;
    if (saysTooManyTopics(control.reason)) {
      this.handler.tooManyTopics(text);
      return;
    }
    const asWanted = saysAlreadySubscribed(control.reason);
    const answer = (topic: number) => (asWanted ? this.confirm(topic, now) : this.reject(topic, text, now));
    // A refusal may name what fits several topics (Kraken: the symbol, not the channel): only those asked for are meant.
    const meant = request === undefined ? named : named.filter((topic) => request.pending.has(topic));
    if (meant.length > 0) {
      for (const topic of meant) {
        this.settle(topic, 'subscribe', request);
        answer(topic);
      }
      if (control.scope === 'request' && request !== undefined) this.askRest(request, 1, now);
    } else if (request === undefined) {
      this.handler.unmatched(text);
    } else if (request.pending.size === 1) {
      const [topic] = request.pending;
      this.ledger.close(request);
      answer(topic!);
    } else {
      this.askRest(request, 2, now);
    }
  }

  /** Waits, sends again what is not answered then, and more slowly. */
  throttled(now: number): void {
    // One burst may be answered by many complaints: the rate is halved once.
    if (now >= this.holdUntil) this.slowDown(now);
    this.holdUntil = now + this.settings.timings.throttlePauseMs;
    this.ledger.repeatAt(this.holdUntil);
  }

  slowDown(now: number): void {
    this.budget.slowDown(now);
    this.recoverAt = now + this.settings.timings.throttleRecoveryMs;
  }

  private confirm(topic: number, now: number): void {
    this.answered(topic);
    this.rejections.delete(topic);
    if (this.leaving || this.table.answer[topic] === ANSWER.confirmed) return;
    this.table.answer[topic] = ANSWER.confirmed;
    this.table.quietSince[topic] = now;
    this.handler.confirmed(topic, now);
  }

  private reject(topic: number, reason: string, now: number): void {
    this.answered(topic);
    this.askLater(topic, now);
    this.table.answer[topic] = ANSWER.rejected;
    // Should data come all the same, it is news.
    this.table.awaited[topic] = 1;
    this.handler.rejected(topic, reason);
  }

  /** What is refused today may be taken tomorrow (a halted or a listed-again symbol), and a session lives for a day. */
  private askLater(topic: number, now: number): void {
    let rejection = this.rejections.get(topic);
    if (rejection === undefined) {
      rejection = {
        backoff: new Backoff(this.settings.timings.rejectedAgain, this.settings.random),
        againAt: -Infinity,
      };
      this.rejections.set(topic, rejection);
    }
    // One refusal may be told twice.
    if (now < rejection.againAt) return;
    rejection.againAt = now + rejection.backoff.next();
    // Alone, so that it spoils no other request.
    this.outbox.add({ kind: 'subscribe', topics: [topic], notBefore: rejection.againAt, attempt: 2 });
  }

  private settle(topic: number, kind: RequestKind, request: SentRequest | undefined): void {
    const holder = request?.pending.has(topic) ? request : this.ledger.holding(topic, kind);
    if (holder !== undefined) this.ledger.settle(holder, topic);
  }

  private holderOf(topics: readonly number[]): SentRequest | undefined {
    for (const topic of topics) {
      const holder = this.ledger.holding(topic, 'subscribe');
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  /** Asks again for what is left of a refused request, in so many parts: halves find the culprit. */
  private askRest(request: SentRequest, parts: 1 | 2, now: number): void {
    const rest = [...request.pending];
    this.ledger.close(request);
    const length = Math.ceil(rest.length / parts);
    for (let at = 0; at < rest.length; at += length) {
      this.retryAt = Math.max(now, this.retryAt + this.settings.timings.retryEveryMs);
      this.outbox.add({
        kind: 'subscribe',
        topics: rest.slice(at, at + length),
        notBefore: this.retryAt,
        attempt: request.attempt,
      });
    }
  }

  /** Requests past their deadline: sent once more, then left for later. */
  private answersDue(now: number): void {
    const failed: number[] = [];
    for (const request of this.ledger.takeOverdue(now)) {
      // An unsubscription without an answer has served its time.
      if (this.leaving || request.kind === 'unsubscribe') continue;
      const missing = [...request.pending].filter((topic) => this.table.needsAsking(topic));
      if (request.repeat) this.enqueue('subscribe', missing, request.attempt, now);
      else if (request.attempt === 1) this.enqueue('subscribe', missing, 2, now);
      else failed.push(...missing);
    }
    if (failed.length === 0) return;
    const delay = this.askAgain.next();
    this.handler.unanswered(failed, delay);
    this.enqueue('subscribe', failed, 2, now + delay);
  }

  private send(now: number): void {
    while (now >= this.holdUntil && this.outbox.nextDue() <= now && this.budget.waitMs(now) === 0) {
      const batch = this.outbox.takeDue(now)!;
      const topics = this.stillWanted(batch);
      if (topics.length === 0) continue;
      this.noteAgain(batch.kind, topics);
      this.budget.tryTake(now);
      const request = ++this.requests;
      this.ledger.add(request, batch.kind, topics, batch.attempt, now + this.settings.timings.ackTimeoutMs);
      const asked = topics.map((topic) => this.table.subscriptions[topic]!.topic);
      this.handler.send(this.text(batch.kind, asked, request));
    }
  }

  /** What data has confirmed meanwhile need not be asked for, nor given up to be asked for again. */
  private stillWanted({ kind, topics }: Batch): readonly number[] {
    if (kind === 'subscribe') return topics.filter((topic) => this.table.needsAsking(topic));
    return this.leaving ? topics : topics.filter((topic) => this.table.askedAgain[topic] === 1);
  }

  private noteAgain(kind: RequestKind, topics: readonly number[]): void {
    const { again } = this.table;
    for (const topic of topics) {
      if (kind === 'unsubscribe') again[topic] = AGAIN.unsubscribed;
      else if (again[topic] === AGAIN.unsubscribed) again[topic] = AGAIN.subscribed;
    }
  }

  /** The subscription after an unsubscription is answered. */
  private answered(topic: number): void {
    if (this.table.again[topic] === AGAIN.subscribed) this.table.again[topic] = AGAIN.none;
  }

  private enqueue(kind: RequestKind, topics: readonly number[], attempt: number, notBefore: number): void {
    const items = topics.map((number) => ({ number, topic: this.table.subscriptions[number]!.topic }));
    // Measured with a request id as long as one may get.
    const bytesOf = (asked: readonly Topic[]) => Buffer.byteLength(this.text(kind, asked, 999_999_999));
    for (const batch of requestBatches(items, this.settings.limits, bytesOf)) {
      this.outbox.add({ kind, topics: batch.map((item) => item.number), notBefore, attempt });
    }
  }

  private text(kind: RequestKind, topics: readonly Topic[], request: number): string {
    const { exchange } = this.settings;
    return kind === 'subscribe' ? exchange.subscribe(topics, request) : exchange.unsubscribe(topics, request);
  }
}

/** Without an id an `ack` answers the oldest request of any kind, an `unsubscribed` the oldest of its own. */
function oldestOf(id: number | null, said: RequestKind): RequestKind | undefined {
  return id === null && said === 'unsubscribe' ? said : undefined;
}
