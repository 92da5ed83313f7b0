import type { ConnectionStatus, PodStatus } from '@tickline/schemas';
import type { PollOutcome } from './poller.ts';
import type { IngestorState, ReconnectCount, Restart } from './sidecar-status.ts';

/** Two clocks, read together: `wall` in epoch milliseconds for people, `monotonic` for durations. */
export interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

/** One connection as the metrics tell it. */
export interface ConnectionView {
  readonly exchange: string;
  readonly connection: string;
  /** The socket is open and the ingestor answers. */
  readonly up: boolean;
  /** Since its last data; where it had none, since it opened; where it never opened, since the pod started. */
  readonly dataAgeSeconds: number;
}

/** What of the last answer is kept, and when it came. */
interface LastAnswer {
  readonly status: PodStatus;
  readonly at: Instant;
}

/**
 * Turns the outcomes of polls into what the sidecar tells. It reads no clock and does no I/O. Counts of the
 * ingestor start at zero with each of its lives; here they go on.
 */
export class View {
  private readonly restartedMs: number;
  private current: IngestorState = 'unknown';
  private currentReason = 'the ingestor was not asked yet';
  private changedAt: number;
  private last: LastAnswer | null = null;
  private restartCount = 0;
  private latestRestart: Restart | null = null;
  private restartedAt = Number.NEGATIVE_INFINITY;
  /** Reconnects of former lives, and of the present one, by `reconnectKey`. */
  private readonly formerReconnects = new Map<string, ReconnectCount>();
  private presentReconnects = new Map<string, ReconnectCount>();

  /** `restartedMs`: how long `restarted` is told. */
  constructor(restartedMs: number, now: Instant) {
    this.restartedMs = restartedMs;
    this.changedAt = now.wall;
  }

  /** Takes in what came of a poll. Returns true when the state was entered with it. */
  apply(outcome: PollOutcome, now: Instant): boolean {
    if (outcome.kind === 'answered') return this.answered(outcome.status, now);
    const before = this.last === null ? '; it has never answered this sidecar' : '';
    return this.enter(outcome.kind, outcome.reason + before, now);
  }

  get state(): IngestorState {
    return this.current;
  }

  get reason(): string {
    return this.currentReason;
  }

  /** When the state was entered, epoch milliseconds. */
  get since(): number {
    return this.changedAt;
  }

  get restarts(): number {
    return this.restartCount;
  }

  get lastRestart(): Restart | null {
    return this.latestRestart;
  }

  /** The last good answer, whatever became of the ingestor since. */
  get status(): PodStatus | null {
    return this.last?.status ?? null;
  }

  get lastAnswerAt(): number | null {
    return this.last?.at.wall ?? null;
  }

  /** Seconds since the last good answer. */
  ageSeconds(now: Instant): number | null {
    return this.last === null ? null : (now.monotonic - this.last.at.monotonic) / 1000;
  }

  /** True when the last poll was answered by an ingestor, in whatever phase. */
  get answers(): boolean {
    return ['starting', 'up', 'draining', 'restarted'].includes(this.current);
  }

  /** Connections of the last answer. While the ingestor does not answer, none of them is up. */
  connections(now: Instant): ConnectionView[] {
    const last = this.last;
    if (last === null) return [];
    // Ages are the ingestor's own at its answer, and go on by our monotonic clock: a stepped wall clock
    // changes none of them.
    const sinceAnswer = now.monotonic - last.at.monotonic;
    return last.status.connections.map((each) => {
      const from = each.lastDataAt ?? each.openedAt ?? last.status.startedAt;
      return {
        exchange: each.exchange,
        connection: each.connection,
        up: this.answers && each.state === 'open',
        dataAgeSeconds: (Math.max(0, last.status.now - from) + sinceAnswer) / 1000,
      };
    });
  }

  /** Reconnects over all lives of the ingestor; a count never falls and none disappears. */
  reconnects(): ReconnectCount[] {
    const counts: ReconnectCount[] = [];
    for (const key of new Set([...this.formerReconnects.keys(), ...this.presentReconnects.keys()])) {
      const former = this.formerReconnects.get(key);
      const present = this.presentReconnects.get(key);
      const named = (present ?? former)!;
      counts.push({ ...named, count: (former?.count ?? 0) + (present?.count ?? 0) });
    }
    return counts;
  }

  private answered(status: PodStatus, now: Instant): boolean {
    const former = this.last?.status ?? null;
    const isOther = former !== null && former.producer !== status.producer;
    if (isOther) {
      this.restartCount++;
      this.restartedAt = now.monotonic;
      this.latestRestart = {
        at: now.wall,
        from: { producer: former.producer, pid: former.pid },
        to: { producer: status.producer, pid: status.pid },
      };
      for (const [key, count] of this.presentReconnects) this.keep(key, count);
      this.presentReconnects.clear();
    }
    const present = new Map<string, ReconnectCount>();
    for (const connection of status.connections) {
      for (const count of reconnectsOf(connection)) present.set(reconnectKey(count), count);
    }
    // A connection that the same process no longer lists keeps what it had.
    for (const [key, count] of this.presentReconnects) {
      if ((present.get(key)?.count ?? 0) < count.count) this.keep(key, count);
    }
    this.presentReconnects = present;
    this.last = { status, at: now };

    if (status.phase === 'draining') {
      return this.enter('draining', 'the ingestor answers that it drains', now);
    }
    const restart = this.latestRestart;
    if (restart !== null && now.monotonic - this.restartedAt < this.restartedMs) {
      const { from, to } = restart;
      const reason = `producer ${from.producer} (pid ${from.pid}) was replaced by ${to.producer} (pid ${to.pid}), which is ${status.phase}`;
      return this.enter('restarted', reason, now, isOther);
    }
    if (status.phase === 'starting') {
      return this.enter('starting', status.notReady ?? 'the ingestor answers that it starts', now);
    }
    return this.enter('up', status.notReady ?? 'the ingestor answers and is ready', now);
  }

  private keep(key: string, count: ReconnectCount): void {
    const former = this.formerReconnects.get(key)?.count ?? 0;
    this.formerReconnects.set(key, { ...count, count: former + count.count });
  }

  /** `anew`: the state is entered even when it is the same. */
  private enter(state: IngestorState, reason: string, now: Instant, anew = false): boolean {
    const changed = anew || state !== this.current;
    if (changed) this.changedAt = now.wall;
    this.current = state;
    this.currentReason = reason;
    return changed;
  }
}

function reconnectsOf({ exchange, connection, reconnects }: ConnectionStatus): ReconnectCount[] {
  return Object.entries(reconnects).map(([reason, count]) => ({ exchange, connection, reason, count }));
}

function reconnectKey({ exchange, connection, reason }: ReconnectCount): string {
  return JSON.stringify([exchange, connection, reason]);
}
