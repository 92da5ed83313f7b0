import type { ConnectionState, ConnectionStatus, SubscriptionState } from '@tickline/schemas';
import { Backoff } from './backoff.ts';
import type { ConnectGate, ConnectTicket } from './connect-gate.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { handoverProgress } from './handover.ts';
import { isSilent } from './heartbeat-monitor.ts';
import type { FeedContext, SessionOwner } from './session.ts';
import { FeedLife } from './session.ts';
import type { SessionEnding } from './session-ending.ts';
import { ending, remedyFor } from './session-ending.ts';
import type { Subscription, Subscriptions } from './subscriptions.ts';
import { emptyCounts } from './subscriptions.ts';

/** What the connections of one feed share besides the sessions' context. */
export interface ConnectionContext extends FeedContext {
  readonly gate: ConnectGate;
  readonly subscriptions: Subscriptions;
  /** Too full for the exchange: takes what is beyond half of it elsewhere. */
  readonly spread: (connection: Connection) => void;
}

/**
 * A slot that outlives its sessions: connect, open, closed, backoff, and again without end. A
 * planned replacement opens its session first and drops the old one when the new one brings what
 * the old one did.
 */
export class Connection implements SessionOwner {
  readonly name: string;
  /** Index among the feed's connections. */
  readonly place: number;
  private topics: readonly Subscription[];
  private state: ConnectionState = 'backing-off';
  /** Carries the subscriptions' states. */
  private current: FeedLife | null = null;
  private next: FeedLife | null = null;
  /** Replaced, and unsubscribing. */
  private retiring: FeedLife | null = null;
  /** The two that both deliver, from the dial of the new one until either is closed. */
  private overlap: { readonly from: FeedLife; readonly to: FeedLife } | null = null;
  private readonly context: ConnectionContext;
  private readonly backoff: Backoff;
  private readonly handoverBackoff: Backoff;
  private readonly dialTimer: DeadlineTimer;
  private readonly handoverTimer: DeadlineTimer;
  private ticket: ConnectTicket | null = null;
  private handoverTicket: ConnectTicket | null = null;
  private handoverReason = '';
  private handoverLimit = Infinity;
  private handoverSettled = Infinity;
  private slower = false;
  private paused = false;
  private stopping: (() => void) | null = null;
  private readonly reconnectsByReason = new Map<string, number>();
  private reconnectCount = 0;
  private messagesBefore = 0;
  private lastFrameAt: number | null = null;
  private lastDataAt: number | null = null;

  constructor(context: ConnectionContext, place: number, topics: readonly Subscription[]) {
    this.context = context;
    this.place = place;
    this.name = `${context.exchange.name}-${place}`;
    this.topics = topics;
    this.backoff = new Backoff(context.timings.backoff, context.random);
    this.handoverBackoff = new Backoff(context.timings.backoff, context.random);
    this.dialTimer = new DeadlineTimer(() => this.enterGate());
    this.handoverTimer = new DeadlineTimer(() => this.handoverStep());
    context.placement.put(place, topics);
  }

  get subscriptions(): readonly Subscription[] {
    return this.topics;
  }

  get reconnects(): number {
    return this.reconnectCount;
  }

  /** Open sockets of this slot. */
  get openSockets(): number {
    return this.sessions().filter((session) => session.open).length;
  }

  start(): void {
    this.enterGate();
  }

  pause(): void {
    this.paused = true;
    for (const session of this.sessions()) session.pause();
  }

  resume(): void {
    this.paused = false;
    for (const session of this.sessions()) session.resume();
  }

  /** Resolves when no socket is left, at the latest after `budgetMs`. */
  stop(budgetMs: number): Promise<void> {
    this.ticket?.cancel();
    this.handoverTicket?.cancel();
    this.dialTimer.clear();
    this.handoverTimer.clear();
    return new Promise((resolve) => {
      this.stopping = resolve;
      const end = ending('stop', 'the feed stops');
      this.next?.terminate(end);
      this.retiring?.terminate(end);
      this.current?.retire(end, budgetMs);
      this.stoppedWhenEmpty();
    });
  }

  /** Design rule 3, both kinds of life. Called on the heartbeat's period. */
  check(now: number, flowing: boolean): void {
    for (const session of this.sessions()) {
      if (session.open && isSilent(session.transportLife(), now, this.context.heartbeat.timeoutMs)) {
        session.terminate(ending('silent', `nothing received for ${this.context.heartbeat.timeoutMs} ms`));
      }
    }
    this.current?.checkData(now, flowing);
  }

  /** Whether any tick came since the last call. */
  takeHeard(): boolean {
    let heard = false;
    for (const session of this.sessions()) if (session.takeHeard()) heard = true;
    return heard;
  }

  /** The channel of these topics was never heard. */
  suspect(topics: readonly number[], reason: string, now: number): void {
    this.current?.suspect(topics, reason, now);
  }

  /** Gives up all topics beyond the first `keep`; only while there is no session. */
  release(keep: number): readonly Subscription[] {
    const released = this.topics.slice(keep);
    this.topics = this.topics.slice(0, keep);
    this.context.placement.put(this.place, this.topics);
    return released;
  }

  status(): ConnectionStatus {
    const subscriptions: Record<SubscriptionState, number> = emptyCounts();
    for (const { state } of this.topics) if (state !== null) subscriptions[state]++;
    let messages = this.messagesBefore;
    for (const session of this.sessions()) {
      messages += session.messages;
      this.noteTimes(session);
    }
    return {
      exchange: this.context.exchange.name,
      connection: this.name,
      state: this.state,
      session: this.current?.id ?? null,
      openedAt: this.current?.openedAt ?? null,
      lastFrameAt: this.lastFrameAt,
      lastDataAt: this.lastDataAt,
      messages,
      reconnects: Object.fromEntries(this.reconnectsByReason),
      subscriptions,
    };
  }

  opened(session: FeedLife): void {
    if (session === this.current) this.state = 'open';
    this.context.logger.info('connection-open', `${this.name} is open for ${this.topics.length} topics`, {
      ...this.fields(session),
      reason: session === this.next ? this.handoverReason : 'connected',
    });
    if (session === this.next) {
      this.handoverLimit = this.context.clock.monotonic() + this.context.timings.handoverLimitMs;
      this.handoverTimer.arm(this.context.timings.handoverLimitMs);
    }
  }

  confirmed(session: FeedLife, topic: number, by: 'acknowledged' | 'data'): void {
    if (session === this.current) this.context.subscriptions.apply(this.topics[topic]!, by, session, '');
    // Looked at once for all answers of this moment.
    else if (session === this.next) this.handoverTimer.arm(0);
  }

  rejected(session: FeedLife, topic: number, reason: string): void {
    const subscription = this.topics[topic]!;
    if (session === this.next) this.handoverTimer.arm(0);
    if (session !== this.current) return;
    if (subscription.state !== 'rejected') {
      this.context.logger.warn('subscription-rejected', `${subscription.topic.name} is rejected`, {
        ...this.fields(session),
        reason,
        channel: subscription.channel,
        symbol: subscription.instrument.symbol,
      });
    }
    this.context.subscriptions.apply(subscription, 'rejected', session, reason);
  }

  unanswered(session: FeedLife, topics: readonly number[], retryInMs: number): void {
    if (session !== this.current) return;
    const reason = `no acknowledgement; asked again in ${Math.round(retryInMs / 1000)} s`;
    for (const topic of topics)
      this.context.subscriptions.apply(this.topics[topic]!, 'requested', session, reason);
  }

  silent(session: FeedLife, topic: number, reason: string): void {
    if (session === this.current)
      this.context.subscriptions.apply(this.topics[topic]!, 'silent', session, reason);
  }

  replace(session: FeedLife, reason: string, detail: string): void {
    // The notice of a session that is not yet, or no longer, in charge is looked at when it is.
    if (session !== this.current || this.stopping !== null) return;
    if (this.next !== null || this.retiring !== null || this.handoverTicket?.waiting) return;
    this.context.logger.info('session-replacing', `${this.name} is replaced: ${detail}`, {
      ...this.fields(session),
      reason,
    });
    this.handoverReason = reason;
    if (!this.context.gate.roomForMore) {
      // No second socket within the limit: break before make.
      session.terminate(ending(reason, detail));
      return;
    }
    this.beginHandover();
  }

  ended(session: FeedLife, end: SessionEnding): void {
    this.context.gate.leave();
    this.messagesBefore += session.messages;
    this.noteTimes(session);
    this.endOverlap(session);
    if (session === this.retiring) this.retired();
    else if (session === this.next) this.replacementLost(session, end);
    else if (session === this.current) {
      this.current = null;
      if (this.stopping === null) this.lost(session, end);
    }
    this.stoppedWhenEmpty();
  }

  private enterGate(): void {
    if (this.stopping !== null) return;
    this.ticket = this.context.gate.enter('urgent', () => {
      this.state = 'connecting';
      this.current = this.newSession();
      this.current.start();
    });
  }

  private newSession(): FeedLife {
    const session = new FeedLife(this.context, this, this.name, this.place, this.topics, this.slower);
    this.slower = false;
    if (this.paused) session.pause();
    return session;
  }

  private lost(session: FeedLife, end: SessionEnding): void {
    const replacement = this.next;
    if (replacement !== null) {
      // It said that it would go: the replacement takes over as far as it got.
      this.next = null;
      this.count(this.handoverReason);
      this.adopt(replacement, `${end.reason}: ${end.detail}`);
      this.replaceIfWanted(replacement);
      return;
    }
    this.handoverTicket?.cancel();
    this.handoverTimer.clear();
    this.count(end.reason);
    this.state = 'backing-off';
    const now = this.context.clock.monotonic();
    const streamed = session.streamingSince === null ? 0 : now - session.streamingSince;
    if (streamed >= this.context.timings.stableAfterMs) this.backoff.reset();
    const delay = this.remedy(end, this.backoff.next());
    this.context.logger.warn('connection-lost', `${this.name} is lost: ${end.detail}`, {
      ...this.fields(session),
      reason: end.reason,
      data: { attempt: this.backoff.attempts, retryInMs: Math.round(delay) },
    });
    const reason = `${end.reason}: ${end.detail}`;
    for (const topic of this.topics) this.context.subscriptions.apply(topic, 'lost', session, reason);
    if (remedyFor(end) === 'fewer-topics') this.context.spread(this);
    this.dialTimer.arm(delay);
  }

  /** Does what the ending asks for; returns the delay before the next attempt. */
  private remedy(end: SessionEnding, delay: number): number {
    const { gate, timings } = this.context;
    switch (remedyFor(end)) {
      case 'pause-host': {
        const pause = end.retryAfterMs ?? timings.refusedPauseMs;
        if (pause !== null) gate.pause(pause);
        return delay;
      }
      case 'slower':
        this.slower = true;
        return Math.max(delay, timings.policyPauseMs);
      case 'fewer-topics':
      case 'backoff':
        return delay;
    }
  }

  private beginHandover(): void {
    this.handoverTicket = this.context.gate.enter('planned', () => {
      const next = this.newSession();
      this.next = next;
      this.handoverLimit = Infinity;
      this.handoverSettled = Infinity;
      this.overlap = { from: this.current!, to: next };
      this.context.guard.handover('begin', this.overlap.from, next);
      next.start();
    });
  }

  /** Looks how far the replacement is, and what the next moment to look is. */
  private handoverStep(): void {
    const { current, next } = this;
    if (this.stopping !== null || current === null) return;
    if (next === null) {
      // A failed replacement's pause is over.
      this.replaceIfWanted(current);
      return;
    }
    const now = this.context.clock.monotonic();
    const progress = handoverProgress(
      this.topics.map(({ state }, topic) => ({
        state,
        confirmed: next.isConfirmed(topic),
        rejected: next.isRejected(topic),
        hasData: next.hasData(topic),
      })),
    );
    if (progress === 'acknowledged' && this.handoverSettled === Infinity) {
      this.handoverSettled = now + this.context.timings.handoverSettleMs;
    }
    if (progress === 'live' || (progress === 'acknowledged' && now >= this.handoverSettled)) {
      this.finishHandover(current, next);
    } else if (progress === 'waiting' && now >= this.handoverLimit) {
      next.terminate(ending('handover', `not acknowledged in ${this.context.timings.handoverLimitMs} ms`));
    } else {
      this.handoverTimer.arm(Math.min(this.handoverLimit, this.handoverSettled) - now);
    }
  }

  private finishHandover(old: FeedLife, next: FeedLife): void {
    this.handoverBackoff.reset();
    this.count(this.handoverReason);
    this.next = null;
    this.retiring = old;
    this.adopt(next, null);
    old.retire(ending(this.handoverReason, 'replaced'), this.context.timings.drainMs);
  }

  /** The session carries the states from now on; `lostReason`: the other one is gone already. */
  private adopt(session: FeedLife, lostReason: string | null): void {
    this.handoverTimer.clear();
    this.current = session;
    this.state = session.open ? 'open' : 'connecting';
    this.context.logger.info('session-replaced', `${this.name} goes on with its new session`, {
      ...this.fields(session),
      reason: this.handoverReason,
    });
    this.topics.forEach((subscription, topic) => {
      const { subscriptions } = this.context;
      if (session.isRejected(topic))
        subscriptions.apply(subscription, 'rejected', session, 'rejected in the new session');
      else if (session.hasData(topic)) subscriptions.apply(subscription, 'data', session, '');
      else if (session.isConfirmed(topic)) subscriptions.apply(subscription, 'acknowledged', session, '');
      else if (lostReason !== null) subscriptions.apply(subscription, 'lost', session, lostReason);
    });
  }

  private retired(): void {
    this.retiring = null;
    if (this.current !== null) this.replaceIfWanted(this.current);
  }

  /** One of the two is closed, whichever it is: only the other one delivers from now on. */
  private endOverlap(closed: FeedLife): void {
    if (this.overlap === null) return;
    const { from, to } = this.overlap;
    if (closed !== from && closed !== to) return;
    this.overlap = null;
    this.context.guard.handover('end', from, to);
  }

  private replaceIfWanted(session: FeedLife): void {
    const wanted = session.replacement;
    if (wanted !== null) this.replace(session, wanted.reason, wanted.detail);
  }

  private replacementLost(session: FeedLife, end: SessionEnding): void {
    this.next = null;
    this.handoverTimer.clear();
    if (this.stopping !== null) return;
    const delay = this.remedy(end, this.handoverBackoff.next());
    this.context.logger.warn('replacement-failed', `${this.name} keeps its session: ${end.detail}`, {
      ...this.fields(session),
      reason: end.reason,
      data: { retryInMs: Math.round(delay) },
    });
    this.handoverTimer.arm(delay);
  }

  private count(reason: string): void {
    this.reconnectCount++;
    this.reconnectsByReason.set(reason, (this.reconnectsByReason.get(reason) ?? 0) + 1);
  }

  private noteTimes(session: FeedLife): void {
    if (session.lastFrameTime > 0) {
      this.lastFrameAt = Math.max(this.lastFrameAt ?? 0, Math.floor(session.lastFrameTime / 1000));
    }
    if (session.lastDataTime > 0) {
      this.lastDataAt = Math.max(this.lastDataAt ?? 0, Math.floor(session.lastDataTime / 1000));
    }
  }

  private stoppedWhenEmpty(): void {
    if (this.stopping === null || this.sessions().length > 0) return;
    this.state = 'closed';
    this.stopping();
  }

  private sessions(): FeedLife[] {
    return [this.current, this.next, this.retiring].filter((session) => session !== null);
  }

  private fields(session: FeedLife): { exchange: string; connection: string; session: string } {
    return { exchange: this.context.exchange.name, connection: this.name, session: session.id };
  }
}
