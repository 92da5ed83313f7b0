import { readPodStatus } from '@tickline/schemas';
import { fleetIngestorOf } from './fleet.ts';
import { INGESTOR_STATES } from './sidecar-status.ts';
import type { FleetIngestor } from './snapshot.ts';

/** What of another sidecar's `/status` is used. */
export interface PeerStatus {
  readonly id: string;
  readonly ingestor: FleetIngestor;
}

/** A peer's sentence, which the page shows; longer ones are cut. */
const LONGEST_TEXT = 500;

/** Checks and reads another sidecar's status. Throws an error that says what is wrong with it. */
export function readPeerStatus(document: unknown): PeerStatus {
  const { id, ingestor } = mapping(document, 'the document');
  const { state, reason, status } = mapping(ingestor, 'ingestor');
  const known = INGESTOR_STATES.find((each) => each === state);
  if (known === undefined) throw new Error(`ingestor.state must be one of ${INGESTOR_STATES.join(', ')}`);
  return {
    id: text(id, 'id'),
    ingestor: fleetIngestorOf({
      state: known,
      reason: text(reason, 'ingestor.reason').slice(0, LONGEST_TEXT),
      status: status === null ? null : readPodStatus(status),
    }),
  };
}

function mapping(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new Error(`${at} must be an object`);
}

function text(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`${at} must be a text`);
}
