import type { SubscriptionState } from '@tickline/schemas';

/** One topic of a connection that is being replaced. */
export interface HandoverTopic {
  /** As it stands with the old session. */
  readonly state: SubscriptionState | null;
  /** What the new session knows of it. */
  readonly confirmed: boolean;
  readonly rejected: boolean;
  readonly hasData: boolean;
}

/**
 * Design rule 6: `waiting` while the new session lacks an answer to something that works in the old
 * one; then `acknowledged`; `live` when all that is live in the old one brings data in the new.
 */
export function handoverProgress(topics: Iterable<HandoverTopic>): 'waiting' | 'acknowledged' | 'live' {
  let live = true;
  for (const topic of topics) {
    if (topic.rejected || topic.state === 'requested' || topic.state === 'rejected' || topic.state === null)
      continue;
    if (!topic.confirmed) return 'waiting';
    if (topic.state === 'live' && !topic.hasData) live = false;
  }
  return live ? 'live' : 'acknowledged';
}
