import { SHARD, withShard } from './by-shard.ts';
import { type Dashboard, series, stat, table } from './panel.ts';

/** Is everything that should be read being read, and by whom? */
export const fleet: Dashboard = {
  uid: 'tickline-fleet',
  title: 'Tickline / Fleet',
  description: 'Whether everything that is configured is read, by which shard, and how fast.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Ready shards',
          'Shards of which a pod is ready. Fewer than configured: TicklineShardMissing.',
          'short',
          'count(count by (namespace, release, shard) (tickline_pod_shard_info{@} and ignoring (shard, shards) (tickline_ready{@} == 1)))',
          { alarm: { below: 1 } },
        ),
        stat(
          'Configured shards',
          'Shards that the configuration asks for; the larger number while the count changes.',
          'short',
          'sum(max by (namespace, release) (tickline_shards_configured{@}))',
        ),
        stat(
          'Configurations in force',
          'Different configurations of who owns what, for each release. More than one outside a rollout is drift.',
          'short',
          'max(count by (namespace, release) (count by (namespace, release, assignment) (tickline_assignment_info{@})))',
          { alarm: { above: 2 } },
        ),
        stat(
          'Messages/s',
          'WebSocket messages received, of all exchanges and channels.',
          'mps',
          'sum(rate(ws_messages_received_total{@}[$__rate_interval]))',
        ),
        stat(
          'Ticks/s',
          'Ticks that were numbered and given to the outputs.',
          'mps',
          'sum(rate(tickline_ticks_published_total{@}[$__rate_interval]))',
        ),
        stat(
          'Lost ticks, 1 h',
          'Ticks that an output had no room for or gave up, in the last hour. Not 0: TicklineRecordsDropped.',
          'short',
          'sum(increase(tickline_sink_shed_total{@}[1h]))',
          { alarm: { above: 1 } },
        ),
        table(
          'Firing alerts',
          'Alerts of Tickline that fire now; docs/runbooks has a page for each.',
          'ALERTS{@,alertname=~"Tickline.+",alertstate="firing"}',
          24,
        ),
      ],
    },
    {
      title: 'By exchange',
      panels: [
        series(
          'Messages/s',
          'WebSocket messages received. A drop to 0 that is not the exchange’s own silence: TicklineExchangeDown or TicklineFeedStale.',
          'mps',
          [
            {
              expr: 'sum by (exchange) (rate(ws_messages_received_total{@}[$__rate_interval]))',
              legend: '{{exchange}}',
            },
          ],
          { stacked: true },
        ),
        series(
          'Latency, p99',
          'Our receive time minus the exchange’s time, for the slowest of a hundred ticks.',
          'ms',
          [
            {
              expr: 'histogram_quantile(0.99, sum by (exchange, le) (rate(ws_message_latency_ms_bucket{@}[$__rate_interval])))',
              legend: '{{exchange}}',
            },
          ],
        ),
        series('Open connections', 'WebSocket connections of all pods together.', 'short', [
          { expr: 'sum by (exchange) (ws_active_connections{@})', legend: '{{exchange}}' },
        ]),
        series(
          'Silent subscriptions',
          'Share of the subscriptions that are not acknowledged or silent. Above a quarter: TicklineFeedStale.',
          'percentunit',
          [
            {
              expr: 'sum by (exchange) (tickline_subscriptions{@,state=~"requested|stale"}) / sum by (exchange) (tickline_subscriptions{@,state!="rejected"})',
              legend: '{{exchange}}',
            },
          ],
          { alarm: { above: 0.25 } },
        ),
        series('Reconnects, 10 min', 'Connections that were opened again, for whatever reason.', 'short', [
          { expr: 'sum by (exchange) (increase(ws_reconnects_total{@}[10m]))', legend: '{{exchange}}' },
        ]),
        series('Gaps, 10 min', 'Gap records: ticks known or suspected to be missing.', 'short', [
          {
            expr: 'sum by (exchange, channel) (increase(tickline_gaps_total{@}[10m]))',
            legend: '{{exchange}} {{channel}}',
          },
        ]),
      ],
    },
    {
      title: 'By shard',
      panels: [
        series(
          'Messages/s',
          'How even the load is. A shard at the limit of its core is split by pins (`tickline-ingestor plan --balance`) or by more shards.',
          'mps',
          [
            {
              expr: `sum by (namespace, release, shard) (${withShard('rate(ws_messages_received_total{@}[$__rate_interval])', 'exchange', 'channel')})`,
              legend: SHARD,
            },
          ],
        ),
        series('CPU', 'Cores that the ingestor uses; it has no use for more than one.', 'short', [
          { expr: withShard('rate(process_cpu_seconds_total{@}[$__rate_interval])'), legend: SHARD },
        ]),
        series('Units', 'Symbols that each shard owns, of all exchanges.', 'short', [
          {
            expr: `sum by (namespace, release, shard) (max by (namespace, release, shard, exchange, given) (${withShard('tickline_units_owned{@}', 'exchange', 'given')}))`,
            legend: SHARD,
          },
        ]),
        table(
          'Pods',
          'Which pod is which shard. Two pods of one shard are a rollout, or TicklineSymbolDoublyOwned.',
          'tickline_pod_shard_info{@}',
          24,
        ),
      ],
    },
  ],
};
