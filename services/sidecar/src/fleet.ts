import type { IngestorReport } from './sidecar-status.ts';
import type { Fleet, FleetIngestor, FleetPod, FleetShard } from './snapshot.ts';

const ANSWERING = ['starting', 'up', 'draining', 'restarted'];
/** Shards that are named in a problem; more are only counted. */
const NAMED = 8;
/** More shards than anybody runs: a wrong count of one pod must not make a page of a million rows. */
const MAX_SHARDS = 1_000;

/** What of an ingestor's report matters for the fleet. */
export function fleetIngestorOf(report: Pick<IngestorReport, 'state' | 'reason' | 'status'>): FleetIngestor {
  const { state, reason, status } = report;
  return {
    state,
    reason,
    shard: status?.shard ?? null,
    producer: status?.producer ?? null,
    version: status?.version ?? null,
    assignment: status?.assignment ?? null,
    ready: status?.ready ?? false,
    subscriptions: {
      live: (status?.connections ?? []).reduce((sum, { subscriptions }) => sum + subscriptions.live, 0),
      owned: (status?.exchanges ?? []).reduce((sum, { owned }) => sum + owned, 0),
    },
    units: (status?.exchanges ?? []).flatMap(({ exchange, units }) =>
      units === undefined || units === null ? [] : [{ exchange, ...units }],
    ),
  };
}

/** Puts the pods together: who owns how much, and what is wrong with that. */
export function fleetOf(pods: readonly FleetPod[], hasPeers: boolean, now: number): Fleet {
  const working = pods.flatMap(({ peer, ingestor }) =>
    peer === 'answers' && ingestor !== null && ANSWERING.includes(ingestor.state) ? [ingestor] : [],
  );
  // A pod that drains hands its shard on: it is there, but the shard is not its own any more.
  const serving = working.filter(({ state }) => state !== 'draining');
  const known = pods.flatMap(({ ingestor }) => (ingestor === null ? [] : [ingestor]));
  const counts = [...new Set(serving.flatMap(({ shard }) => (shard === null ? [] : [shard.count])))];
  // While the number of shards shrinks, pods above the new one still read what they read before.
  const named = serving.map(({ shard }) => (shard === null ? 0 : shard.index + 1));
  const told = counts.length > 0 ? counts : known.map(({ shard }) => shard?.count ?? 0);
  const wanted = Math.max(0, ...told, ...named);
  const count = Math.min(wanted, MAX_SHARDS);

  const exchanges = exchangesOf(known);
  const shards: FleetShard[] = [];
  for (let index = 0; index < count; index++) {
    const own = serving.filter(({ shard }) => shard?.index === index);
    shards.push({
      index,
      pods: own.length,
      owned: exchanges.map(({ exchange }) => {
        const units = own.flatMap((pod) => pod.units.filter((each) => each.exchange === exchange));
        return units.length === 0 ? null : Math.max(...units.map(({ owned }) => owned));
      }),
    });
  }

  const problems: string[] = [];
  if (counts.length > 1) {
    problems.push(
      `Pods disagree about the number of shards: ${counts.toSorted((a, b) => a - b).join(', ')}. This is normal only while a change of shard.count is rolled out.`,
    );
  }
  // Without peers, nothing is known of other shards.
  const missing = hasPeers ? shards.filter(({ pods: serves }) => serves === 0) : [];
  if (missing.length > 0) {
    const some = missing.slice(0, NAMED).map(({ index }) => index);
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
    problems.push(
      `No pod that answers serves ${missing.length === 1 ? 'shard' : 'shards'} ${some.join(', ')}${more}: nobody reads ${missing.length === 1 ? 'its' : 'their'} symbols.`,
    );
  }
  const assignments = new Set(serving.flatMap(({ assignment }) => (assignment === null ? [] : [assignment])));
  if (assignments.size > 1) {
    problems.push(
      'Pods disagree about who owns what: their configurations differ. This is normal only while a change is rolled out.',
    );
  }
  for (const { peer, address, reason } of pods) {
    if (peer === 'refused' || peer === 'bad-answer') problems.push(`${address}: ${reason}.`);
  }
  // Sums mean something only when everybody was heard.
  if (hasPeers && missing.length === 0 && counts.length === 1) {
    for (const [place, { exchange, configured }] of exchanges.entries()) {
      if (shards.some(({ owned }) => owned[place] === null)) continue;
      const sum = shards.reduce((total, { owned }) => total + (owned[place] ?? 0), 0);
      if (sum < configured) {
        problems.push(`${exchange}: ${configured - sum} of ${configured} symbols have no owner.`);
      } else if (sum > configured) {
        problems.push(
          `${exchange}: ${sum - configured} of ${configured} symbols have two owners. This is normal only while shard.previousCount is set.`,
        );
      }
    }
  }
  const shardOf = ({ ingestor }: FleetPod) => ingestor?.shard?.index ?? Number.MAX_SAFE_INTEGER;
  return {
    now,
    hasPeers,
    exchanges,
    shards,
    // In the order of the shards; stable, so that pods of one shard stay where they are.
    pods: pods.toSorted((a, b) => shardOf(a) - shardOf(b)),
    problems,
  };
}

function exchangesOf(ingestors: readonly FleetIngestor[]): Fleet['exchanges'] {
  const configured = new Map<string, number>();
  for (const { units } of ingestors) {
    for (const each of units) {
      configured.set(each.exchange, Math.max(each.configured, configured.get(each.exchange) ?? 0));
    }
  }
  return [...configured].map(([exchange, most]) => ({ exchange, configured: most }));
}
