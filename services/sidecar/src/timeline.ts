import type { ConnectionStatus, PodStatus } from '@tickline/schemas';
import type { IngestorState } from './sidecar-status.ts';
import type { TimelineEvent, TimelineKind, Tone } from './snapshot.ts';

/** Events that are kept; a storm pushes out what was before it. */
const KEPT = 200;

/** Words for the states, as lines of the timeline. */
const STATE_LINES: Readonly<Record<IngestorState, readonly [tone: Tone, text: string]>> = {
  unknown: ['warn', 'The ingestor was not asked yet'],
  starting: ['warn', 'The ingestor starts'],
  up: ['good', 'The ingestor is up'],
  draining: ['warn', 'The ingestor drains: it was told to stop'],
  restarted: ['warn', 'The ingestor was restarted'],
  unreachable: ['bad', 'The ingestor is unreachable'],
  hung: ['bad', 'The ingestor hangs'],
  'bad-answer': ['bad', 'The ingestor gives a bad answer'],
};

/**
 * What happened of late, found by comparing one poll with the next: states of the ingestor, reconnects with their
 * reasons, sessions, sinks that fail and recover. What begins and ends between two polls is seen by its counts.
 */
export class Timeline {
  private readonly kept: TimelineEvent[] = [];
  private last: PodStatus | null = null;
  private nextId = 1;

  /** The ingestor's state was entered. */
  state(state: IngestorState, reason: string, at: number): void {
    const [tone, text] = STATE_LINES[state];
    this.add(at, state === 'restarted' ? 'restart' : 'state', tone, null, `${text}: ${reason}`);
  }

  /** The ingestor answered. */
  answered(status: PodStatus, at: number): void {
    const before = this.last?.producer === status.producer ? this.last : null;
    this.last = status;
    // A new process begins anew: its connections were not "lost", and what it has opened is no news.
    if (before === null) return;
    for (const connection of status.connections) {
      const former = before.connections.find((each) => each.connection === connection.connection);
      if (former !== undefined) this.compareConnection(former, connection, at);
    }
    for (const sink of status.sinks) {
      const former = before.sinks.find((each) => each.sink === sink.sink);
      if (former === undefined || former.healthy === sink.healthy) continue;
      if (sink.healthy) this.add(at, 'sink', 'good', sink.sink, `${sink.sink} answers again`);
      else
        this.add(at, 'sink', 'bad', sink.sink, `${sink.sink} fails: ${sink.detail ?? 'no reason is told'}`);
    }
  }

  /** The newest first. */
  read(): readonly TimelineEvent[] {
    return this.kept.toReversed();
  }

  private compareConnection(former: ConnectionStatus, now: ConnectionStatus, at: number): void {
    for (const [reason, count] of Object.entries(now.reconnects)) {
      const more = count - (Object.hasOwn(former.reconnects, reason) ? former.reconnects[reason]! : 0);
      if (more <= 0) continue;
      const times = more === 1 ? '' : ` ${more} times`;
      this.add(at, 'reconnect', 'warn', now.connection, `${now.connection} reconnects${times}: ${reason}`);
    }
    if (now.session !== null && now.session !== former.session && now.state === 'open') {
      this.add(at, 'session', 'good', now.connection, `${now.connection} is open, session ${now.session}`);
    }
  }

  private add(at: number, kind: TimelineKind, tone: Tone, subject: string | null, text: string): void {
    this.kept.push({ id: this.nextId++, at, kind, tone, subject, text });
    if (this.kept.length > KEPT) this.kept.shift();
  }
}
