import type { ExchangeName, TickChannel } from '@tickline/schemas';
import type { Control, Exchange, FeedLimits } from '../exchanges/exchange.ts';
import type { Clock } from './clock.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import { saysTooManyTopics } from './exchange-texts.ts';
import type { FeedListener, FeedSession } from './feed.ts';
import type { FeedLogger, FeedTimings } from './feed-options.ts';
import { FrameSocket } from './frame-socket.ts';
import type { HeartbeatSettings, TransportLife } from './heartbeat-monitor.ts';
import type { ListenerGuard } from './listener-guard.ts';
import type { Placement } from './placement.ts';
import { ending, type SessionEnding } from './session-ending.ts';
import { nextSessionOrdinal, sessionId } from './session-id.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { Subscription } from './subscriptions.ts';
import { TopicRequests } from './topic-requests.ts';
import { ANSWER, TopicTable } from './topic-table.ts';

/** What all sessions of one feed share. */
export interface FeedContext {
  readonly exchange: Exchange;
  readonly address: string;
  readonly limits: FeedLimits;
  readonly heartbeat: HeartbeatSettings;
  readonly dataSilenceMs: Readonly<Record<TickChannel, number>>;
  readonly timings: FeedTimings;
  readonly permessageDeflate: boolean;
  readonly guard: ListenerGuard;
  readonly logger: FeedLogger;
  readonly placement: Placement;
  readonly random: () => number;
  readonly clock: Clock;
}

/** Told of what happens in a session; topics by their index on the connection. */
export interface SessionOwner {
  opened(session: FeedLife): void;
  confirmed(session: FeedLife, topic: number, by: 'acknowledged' | 'data'): void;
  rejected(session: FeedLife, topic: number, reason: string): void;
  /** Twice asked, not answered; asked again later. */
  unanswered(session: FeedLife, topics: readonly number[], retryInMs: number): void;
  silent(session: FeedLife, topic: number, reason: string): void;
  /** To be replaced before it ends by itself. */
  replace(session: FeedLife, reason: string, detail: string): void;
  /** The last call. */
  ended(session: FeedLife, end: SessionEnding): void;
}

/** Share of a drain's time that is left for the closing handshake. */
const CLOSING_SHARE = 0.2;

/** One life of a connection: its socket, its pings, its planned end; requests and silence in their own classes. */
export class FeedLife implements FeedSession {
  readonly exchange: ExchangeName;
  readonly connection: string;
  readonly id: string;
  readonly ordinal = nextSessionOrdinal();
  /** Epoch milliseconds; null until open. */
  openedAt: number | null = null;
  /** Messages received. */
  messages = 0;
  /** Receive time (microseconds) of the last message and of the last tick; 0: none yet. */
  lastFrameTime = 0;
  lastDataTime = 0;
  /** Monotonic milliseconds of the first confirmation; null before. */
  streamingSince: number | null = null;
  /** Set when its planned life is over, or the exchange gave notice. */
  replacement: { readonly reason: string; readonly detail: string } | null = null;

  private readonly context: FeedContext;
  private readonly owner: SessionOwner;
  private readonly listener: FeedListener;
  private readonly place: number;
  private readonly table: TopicTable;
  private readonly requests: TopicRequests;
  private readonly silence: SilenceWatch;
  private readonly timer: DeadlineTimer;
  private readonly pingAfterMs: number;
  private socket: FrameSocket | null = null;
  private finished = false;
  private paused = false;
  /** Monotonic milliseconds: opened, or last resumed. */
  private watchedSince: number;
  private lastPingAt = 0;
  private lifeEndsAt = Infinity;
  private inMaintenance = false;
  private drain: { readonly end: SessionEnding; readonly closeAt: number; readonly cutAt: number } | null =
    null;
  private closing = false;

  /** `place`: the connection's index; `slower`: the last session was ended for sending too fast. */
  constructor(
    context: FeedContext,
    owner: SessionOwner,
    connection: string,
    place: number,
    subscriptions: readonly Subscription[],
    slower: boolean,
  ) {
    const now = context.clock.monotonic();
    this.context = context;
    this.owner = owner;
    this.listener = context.guard.listener;
    this.exchange = context.exchange.name;
    this.connection = connection;
    this.id = sessionId(context.random);
    this.place = place;
    this.pingAfterMs = context.heartbeat.pingAfterMs ?? context.exchange.heartbeat.pingAfterMs;
    this.watchedSince = now;
    this.table = new TopicTable(subscriptions, now);
    this.silence = new SilenceWatch(context, this.table);
    this.requests = new TopicRequests(
      context,
      this.table,
      {
        send: (text) => this.socket?.send(text),
        confirmed: (topic, at) => this.confirmed(topic, 'acknowledged', at),
        rejected: (topic, reason) => owner.rejected(this, topic, reason),
        unanswered: (topics, retryInMs) => this.unanswered(topics, retryInMs),
        tooManyTopics: (reason) => this.terminate(ending('too-many-topics', reason)),
        unmatched: (reason) =>
          context.logger.warn('rejection-unmatched', 'a rejection that belongs to no request', {
            ...this.fields(),
            reason,
          }),
      },
      now,
    );
    if (slower) this.requests.slowDown(now);
    this.timer = new DeadlineTimer(() => this.guarded(() => this.step()));
  }

  /** Dials. Every outcome is told by the owner's calls. */
  start(): void {
    const { address, limits, permessageDeflate, timings, clock } = this.context;
    const settings = {
      frameBytes: limits.frameBytes,
      permessageDeflate,
      connectTimeoutMs: timings.connectTimeoutMs,
    };
    this.guarded(() => {
      this.socket = new FrameSocket(address, settings, clock, {
        opened: () => this.guarded(() => this.opened()),
        frame: (bytes, start, end) => this.frame(bytes, start, end),
        pinged: () => this.requests.spend(clock.monotonic()),
        closed: (end) => this.finish(end),
      });
    });
  }

  get open(): boolean {
    return this.socket?.open ?? false;
  }

  isConfirmed(topic: number): boolean {
    return this.table.answer[topic] === ANSWER.confirmed;
  }

  isRejected(topic: number): boolean {
    return this.table.answer[topic] === ANSWER.rejected;
  }

  hasData(topic: number): boolean {
    return this.table.hadData[topic] === 1;
  }

  transportLife(): TransportLife {
    return {
      lastReceivedAt: this.socket?.lastReceivedAt ?? this.watchedSince,
      watchedSince: this.watchedSince,
      paused: this.paused,
    };
  }

  /** Hot path. */
  data(channel: TickChannel, slot: number): void {
    const places = this.context.placement.byChannel[channel];
    if (places.connection[slot] !== this.place) return;
    const topic = places.index[slot]!;
    const { table } = this;
    table.ticks[topic]!++;
    this.lastDataTime = this.lastFrameTime;
    if (table.awaited[topic] === 1) this.firstData(topic);
  }

  control(control: Control): void {
    if (this.finished) return;
    const now = this.context.clock.monotonic();
    switch (control.kind) {
      case 'ack':
        this.requests.acknowledged(control.request, control.topics, 'subscribe', now);
        break;
      case 'unsubscribed':
        this.requests.acknowledged(control.request, control.topics, 'unsubscribe', now);
        break;
      case 'rejected':
        this.requests.refused(control, now);
        break;
      case 'throttled':
        this.context.logger.warn('sending-too-fast', 'the sending rate is halved', {
          ...this.fields(),
          reason: control.reason,
        });
        this.requests.throttled(now);
        break;
      case 'shutdown':
        this.wantReplacement('shutdown', control.reason);
        return;
      case 'status':
        this.exchangeStatus(control.state);
        return;
      case 'error':
        this.exchangeError(control.code, control.reason);
        return;
      case 'pong':
      case 'heartbeat':
      case 'info':
        return;
    }
    if (this.drain !== null) this.step();
    else this.arm();
  }

  pause(): void {
    this.paused = true;
    if (this.open) this.socket?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    const now = this.context.clock.monotonic();
    this.watchedSince = now;
    this.requests.readAgain(now);
    if (this.open) this.socket?.resume();
    this.arm();
  }

  /** Ends it now; the owner is told before this returns. */
  terminate(end: SessionEnding): void {
    if (this.socket === null) this.finish(end);
    else this.socket.terminate(end);
  }

  /**
   * Unsubscribes and closes with 1000; what still arrives is delivered. Ends with `end` in at most
   * `budgetMs`.
   */
  retire(end: SessionEnding, budgetMs: number): void {
    if (this.finished || this.drain !== null) return;
    if (!this.open || this.paused || budgetMs <= 0) {
      this.terminate(end);
      return;
    }
    const now = this.context.clock.monotonic();
    this.drain = { end, closeAt: now + budgetMs * (1 - CLOSING_SHARE), cutAt: now + budgetMs };
    this.guarded(() => {
      this.requests.unsubscribeAll(now);
      this.step();
    });
  }

  /** Whether any tick was noticed since the last call. */
  takeHeard(): boolean {
    return this.silence.takeHeard();
  }

  /** Looks for subscriptions that fell silent: each is subscribed again; the session ends when all busy ones are dead. */
  checkData(now: number, flowing: boolean): void {
    if (!this.open || this.paused || this.drain !== null) return;
    const found = this.silence.check(now, this.watchedSince, flowing);
    for (const { topic, reason } of found.silent) this.owner.silent(this, topic, reason);
    if (found.deadBusy > 0) {
      this.terminate(ending('data-silent', `all ${found.deadBusy} normally busy subscriptions are silent`));
    } else {
      this.resubscribe(found.resubscribe, now);
    }
  }

  /** Stale for a reason that only the owner sees (a whole channel was never heard). */
  suspect(topics: readonly number[], reason: string, now: number): void {
    if (!this.open || this.paused || this.drain !== null) return;
    const confirmed = topics.filter((topic) => this.isConfirmed(topic));
    for (const topic of confirmed) this.owner.silent(this, topic, reason);
    this.resubscribe(
      confirmed.filter((topic) => this.silence.suspect(topic, now)),
      now,
    );
  }

  private frame(bytes: Uint8Array, start: number, end: number): void {
    this.messages++;
    const { receiveTime } = this.socket!;
    this.lastFrameTime = receiveTime;
    try {
      this.listener.frame(this, bytes, start, end, receiveTime);
    } catch (error) {
      this.context.guard.failed(error);
    }
  }

  private opened(): void {
    const { clock, limits, random } = this.context;
    const now = clock.monotonic();
    this.openedAt = clock.epoch();
    this.watchedSince = now;
    // Not all sockets of a pod on the same beat, and never later than the exchange wants it.
    this.lastPingAt = now - 0.1 * random() * this.pingAfterMs;
    this.lifeEndsAt = now + limits.sessionLifetimeMs * (1 - 0.1 * random());
    if (this.paused) this.socket?.pause();
    this.owner.opened(this);
    this.requests.subscribeAll(now);
    this.step();
  }

  private finish(end: SessionEnding): void {
    if (this.finished) return;
    this.finished = true;
    this.timer.clear();
    this.owner.ended(this, this.drain?.end ?? end);
  }

  /** A defect of ours or of an exchange's functions must not leave through a socket's event. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.context.logger.error('session-failed', 'a defect ended the session', { ...this.fields(), error });
      this.terminate(ending('error', error instanceof Error ? error.message : String(error)));
    }
  }

  /** Does what is due, and sleeps until the next thing is. */
  private step(): void {
    if (this.finished) return;
    const now = this.context.clock.monotonic();
    if (this.open) {
      // Before the requests, which would take its place in this second.
      this.keepAlive(now);
      this.requests.work(now, !this.paused);
      if (now >= this.lifeEndsAt) {
        this.lifeEndsAt = Infinity;
        this.wantReplacement(
          'lifetime',
          `a session lives ${this.context.limits.sessionLifetimeMs} ms at most`,
        );
      }
    }
    if (this.drain !== null) this.drained(this.drain, now);
    this.arm();
  }

  private arm(): void {
    if (this.finished) return;
    const now = this.context.clock.monotonic();
    let due = this.lifeEndsAt;
    if (this.open) due = Math.min(due, this.pingDue(now), this.requests.due(now, !this.paused));
    if (this.drain !== null) due = Math.min(due, this.closing ? this.drain.cutAt : this.drain.closeAt);
    this.timer.arm(due - now);
  }

  private drained(drain: NonNullable<typeof this.drain>, now: number): void {
    if (!this.closing && (!this.requests.unsubscribing || now >= drain.closeAt)) {
      this.closing = true;
      this.socket?.close(1000);
    }
    if (now >= drain.cutAt) this.terminate(drain.end);
  }

  /** When the next ping is due; frames that arrived since move it, without work at their arrival. */
  private pingDue(now: number): number {
    if (this.closing) return Infinity;
    const { pingWhen } = this.context.exchange.heartbeat;
    const since =
      pingWhen === 'always' ? this.lastPingAt : Math.max(this.lastPingAt, this.socket?.lastReceivedAt ?? 0);
    const due = since + this.pingAfterMs;
    return now < due ? due : now + this.requests.pingWaitMs(now);
  }

  private keepAlive(now: number): void {
    if (now < this.pingDue(now)) return;
    this.lastPingAt = now;
    const request = this.requests.spend(now);
    const { heartbeat } = this.context.exchange;
    if (heartbeat.kind === 'websocket') this.socket?.ping();
    else this.socket?.send(heartbeat.ping(request));
  }

  private firstData(topic: number): void {
    const now = this.socket!.lastReceivedAt;
    this.silence.firstData(topic, now);
    this.table.answer[topic] = ANSWER.confirmed;
    this.confirmed(topic, 'data', now);
  }

  private confirmed(topic: number, by: 'acknowledged' | 'data', now: number): void {
    this.streamingSince ??= now;
    this.owner.confirmed(this, topic, by);
  }

  private unanswered(topics: readonly number[], retryInMs: number): void {
    this.context.logger.warn('subscriptions-unacknowledged', 'asked twice without an answer', {
      ...this.fields(),
      reason: `again in ${Math.round(retryInMs)} ms`,
      data: this.table.naming(topics),
    });
    this.owner.unanswered(this, topics, retryInMs);
  }

  private resubscribe(topics: readonly number[], now: number): void {
    if (topics.length === 0) return;
    this.context.logger.warn('subscriptions-silent', 'silent subscriptions are subscribed again', {
      ...this.fields(),
      reason: 'silent',
      data: this.table.naming(topics),
    });
    this.guarded(() => {
      this.requests.resubscribe(topics, now);
      this.step();
    });
  }

  private exchangeError(code: string | null, reason: string): void {
    const text = code === null ? reason : `${code}: ${reason}`;
    // The close that follows need not say why again.
    if (this.drain === null && saysTooManyTopics(reason)) {
      this.terminate(ending('too-many-topics', text));
      return;
    }
    if (!this.context.logger.admits('exchange-error', this.exchange)) return;
    this.context.logger.warn('exchange-error', 'the exchange reports an error', {
      ...this.fields(),
      reason: text,
    });
  }

  private exchangeStatus(state: string): void {
    const online = state === 'online';
    if (online === !this.inMaintenance) return;
    this.inMaintenance = !online;
    this.context.logger.warn('exchange-status', `the exchange is ${state}`, {
      ...this.fields(),
      reason: state,
    });
    // Whether subscriptions outlive a maintenance is not documented (Kraken): a fresh session has them for sure.
    if (online) this.wantReplacement('status', 'back online');
  }

  private wantReplacement(reason: string, detail: string): void {
    if (this.replacement !== null || this.drain !== null) return;
    this.replacement = { reason, detail };
    this.owner.replace(this, reason, detail);
  }

  private fields(): { exchange: string; connection: string; session: string } {
    return { exchange: this.exchange, connection: this.connection, session: this.id };
  }
}
