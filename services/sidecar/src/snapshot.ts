import type { SidecarStatus } from './sidecar-status.ts';

// What the status page shows, as its event stream sends it. Types only: the page's own code reads them too.

/** How good or bad something is; told in words beside it, never by colour alone. */
export type Tone = 'good' | 'warn' | 'bad';

/** The one sentence that matters most, for the head of the page. */
export interface Headline {
  readonly tone: Tone;
  /** A few words without figures that change: it is read out when it changes. */
  readonly title: string;
  /** One or two sentences. */
  readonly detail: string;
}

/** Rates of one exchange, the oldest first; null where the ingestor did not answer. */
export interface ExchangeActivity {
  readonly exchange: string;
  /** Messages a second. */
  readonly messageRates: readonly (number | null)[];
}

/** Recent past of all exchanges. */
export interface Activity {
  /** Time from one value to the next. */
  readonly stepMs: number;
  readonly exchanges: readonly ExchangeActivity[];
}

/** What a line of the timeline is about. */
export type TimelineKind = 'state' | 'restart' | 'reconnect' | 'session' | 'sink';

/** Something that happened, as far as it can be seen from one poll to the next. */
export interface TimelineEvent {
  /** Counts up; names the event for the page. */
  readonly id: number;
  /** When it was noticed, epoch milliseconds: up to one poll after it happened. */
  readonly at: number;
  readonly kind: TimelineKind;
  readonly tone: Tone;
  /** Connection or sink; null when it is about the pod. */
  readonly subject: string | null;
  /** One sentence. */
  readonly text: string;
}

/** How a sidecar of the fleet answers. */
export const PEER_STATES = [
  /** It was not asked yet. */
  'unknown',
  'answers',
  /** Nothing listens under its address. */
  'unreachable',
  /** No answer in time. */
  'silent',
  /** It does not take our token. */
  'refused',
  /** It answers with something else. */
  'bad-answer',
  /** DNS names it no longer. */
  'gone',
] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** One pod of the fleet. */
export interface FleetPod {
  /** `host:port` of its sidecar; null: the one that tells this. */
  readonly address: string | null;
  readonly peer: PeerState;
  /** One sentence. */
  readonly reason: string;
  /** Of its ingestor, as its own sidecar told it last. Null when it never answered. */
  readonly ingestor: FleetIngestor | null;
  /** Since its sidecar answered last, null when it never did. */
  readonly ageSeconds: number | null;
}

/** What matters of an ingestor for the fleet. */
export interface FleetIngestor {
  readonly state: string;
  readonly reason: string;
  readonly shard: { readonly index: number; readonly count: number } | null;
  readonly producer: string | null;
  readonly version: string | null;
  readonly assignment: string | null;
  readonly ready: boolean;
  readonly subscriptions: { readonly live: number; readonly owned: number };
  readonly units: readonly {
    readonly exchange: string;
    readonly owned: number;
    readonly configured: number;
  }[];
}

/** One row of the shard map. */
export interface FleetShard {
  readonly index: number;
  /** Pods whose ingestor answers: 0 is a hole, 2 a rollout. */
  readonly pods: number;
  /** Owned symbols by exchange, in the order of `Fleet.exchanges`; null where nobody tells. */
  readonly owned: readonly (number | null)[];
}

/** Answer of the sidecar's `GET /fleet`: all pods that this sidecar knows. */
export interface Fleet {
  readonly now: number;
  /** Whether peers are configured; else the fleet is this pod alone. */
  readonly hasPeers: boolean;
  readonly exchanges: readonly { readonly exchange: string; readonly configured: number }[];
  readonly shards: readonly FleetShard[];
  readonly pods: readonly FleetPod[];
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
}

/** The level of a log, and when it goes back by itself. */
export interface LevelState {
  readonly level: string;
  /** Epoch milliseconds; null: it stays. */
  readonly until: number | null;
}

/** One event of the page's stream: everything that the page shows. */
export interface Snapshot {
  readonly status: SidecarStatus;
  readonly headline: Headline;
  readonly activity: Activity;
  /** The newest first. */
  readonly timeline: readonly TimelineEvent[];
  readonly fleet: Fleet;
  /** The sidecar's own log. */
  readonly log: LevelState;
  /** Whether a token is asked for: then there is something to log out of. */
  readonly hasLogin: boolean;
  /** The next one comes within so long, or the connection is lost. */
  readonly nextWithinMs: number;
}
