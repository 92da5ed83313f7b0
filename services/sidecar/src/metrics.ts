import { Counter, Gauge, Registry } from 'prom-client';
import type { Access } from './access.ts';
import type { EventStream } from './event-stream.ts';
import type { Peers } from './peers.ts';
import { INGESTOR_STATES } from './sidecar-status.ts';
import { PEER_STATES } from './snapshot.ts';
import type { Instant, View } from './view.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Where the metrics are read. */
export interface MetricsSources {
  readonly view: View;
  readonly peers: Peers;
  readonly events: Pick<EventStream, 'size' | 'dropped'>;
  readonly access: Pick<Access, 'refused'>;
  readonly version: string;
  now(): Instant;
}

/**
 * The sidecar's metrics, read from the view when they are scraped. No name is one of the ingestor's: both are
 * scraped from the same pod, and nothing may be counted twice. For the same reason the metrics of this process
 * itself (CPU, memory) are left out.
 */
export function createMetrics({ view, peers, events, access, version, now }: MetricsSources): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        // Without labels a reset leaves a zero, which is not what "not known" is.
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  const counter = (name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>) =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });

  gauge(
    'tickline_ingestor_up',
    '1 when the ingestor answered the last poll, in whatever phase, else 0.',
    [],
    () => [[{}, view.answers ? 1 : 0]],
  );
  gauge(
    'tickline_ingestor_state',
    '1 for the state that the ingestor is in, 0 for the others.',
    ['state'],
    () => INGESTOR_STATES.map((state): Sample => [{ state }, view.state === state ? 1 : 0]),
  );
  gauge('tickline_ingestor_status_age_seconds', 'Age of the ingestor’s last good answer.', [], () => {
    const age = view.ageSeconds(now());
    return age === null ? [] : [[{}, age]];
  });
  counter(
    'tickline_ingestor_restarts_total',
    'Restarts of the ingestor that this sidecar saw: another producer answered.',
    [],
    () => [[{}, view.restarts]],
  );
  gauge(
    'tickline_connection_up',
    '1 when the connection is open and the ingestor answers, else 0.',
    ['exchange', 'connection'],
    () =>
      view
        .connections(now())
        .map(({ exchange, connection, up }): Sample => [{ exchange, connection }, up ? 1 : 0]),
  );
  gauge(
    'tickline_connection_data_age_seconds',
    'Time since the connection’s last data; where it had none, since it opened or the pod started.',
    ['exchange', 'connection'],
    () =>
      view
        .connections(now())
        .map(
          ({ exchange, connection, dataAgeSeconds }): Sample => [{ exchange, connection }, dataAgeSeconds],
        ),
  );
  counter(
    'tickline_connection_reconnects_total',
    'Reconnects by reason, over all lives of the ingestor that this sidecar saw.',
    ['exchange', 'connection', 'reason'],
    () =>
      view
        .reconnects()
        .map(({ exchange, connection, reason, count }): Sample => [{ exchange, connection, reason }, count]),
  );
  gauge('tickline_shard_info', 'Shard of the ingestor; always 1.', ['shard', 'shards'], () => {
    const shard = view.status?.shard;
    return shard === undefined ? [] : [[{ shard: String(shard.index), shards: String(shard.count) }, 1]];
  });
  gauge(
    'tickline_sidecar_peers',
    'Other pods of the fleet by how their sidecars answer; nothing where no peers are configured.',
    ['state'],
    () => {
      if (!peers.areConfigured) return [];
      const pods = peers.pods(now().monotonic);
      return PEER_STATES.map(
        (state): Sample => [{ state }, pods.filter(({ peer }) => peer === state).length],
      );
    },
  );
  gauge('tickline_sidecar_page_readers', 'Status pages that are open.', [], () => [[{}, events.size]]);
  counter(
    'tickline_sidecar_page_readers_dropped_total',
    'Status pages dropped for being too slow.',
    [],
    () => [[{}, events.dropped]],
  );
  counter('tickline_sidecar_tokens_refused_total', 'Wrong tokens that were given to the sidecar.', [], () => [
    [{}, access.refused],
  ]);
  gauge('tickline_sidecar_build_info', 'Version of the sidecar; always 1.', ['version'], () => [
    [{ version }, 1],
  ]);
  return registry;
}
