import type { PodStatus } from '@tickline/schemas';

/** States of the ingestor as the sidecar tells them. */
export const INGESTOR_STATES = [
  /** It was not asked yet. */
  'unknown',
  'starting',
  'up',
  'draining',
  /** It answers, and another process did so before: told for a while instead of `starting` and `up`. */
  'restarted',
  /** Nothing listens: the process is gone, or not there yet. */
  'unreachable',
  /** It takes connections and does not answer. */
  'hung',
  /** Something answers that is not a pod status. */
  'bad-answer',
] as const;
export type IngestorState = (typeof INGESTOR_STATES)[number];

/** A change of the ingestor's process that was noticed. */
export interface Restart {
  /** When it was noticed, epoch milliseconds. */
  readonly at: number;
  readonly from: { readonly producer: string; readonly pid: number };
  readonly to: { readonly producer: string; readonly pid: number };
}

/** Reconnects of a connection for one reason, over all lives of the ingestor that this sidecar saw. */
export interface ReconnectCount {
  readonly exchange: string;
  readonly connection: string;
  readonly reason: string;
  readonly count: number;
}

/** What the sidecar knows of its ingestor. Times are epoch milliseconds. */
export interface IngestorReport {
  readonly state: IngestorState;
  readonly since: number;
  /** One sentence. */
  readonly reason: string;
  readonly restarts: number;
  readonly lastRestart: Restart | null;
  /** When `status` was received; null while there was none. */
  readonly lastAnswerAt: number | null;
  /** Age of `status` in seconds. */
  readonly ageSeconds: number | null;
  /** Reconnects of all connections, over all lives of the ingestor that this sidecar saw. */
  readonly reconnects: readonly ReconnectCount[];
  /** The last good answer, kept when the ingestor is gone. */
  readonly status: PodStatus | null;
}

/** Answer of the sidecar's `GET /status`. Times are epoch milliseconds. */
export interface SidecarStatus {
  /** Random, for the life of this sidecar: by it a sidecar knows itself among the peers that DNS names. */
  readonly id: string;
  readonly now: number;
  readonly startedAt: number;
  readonly version: string;
  readonly ingestor: IngestorReport;
}
