import { SHARD, withShard } from './by-shard.ts';
import { type Dashboard, heatmap, series } from './panel.ts';

/** What an exchange sends, how late, and what of it is lost or refused. */
export const exchange: Dashboard = {
  uid: 'tickline-exchange',
  title: 'Tickline / Exchange',
  description:
    'Connections, subscriptions, latency, gaps and refused frames of the exchanges that are chosen.',
  variables: [{ name: 'exchange', label: 'Exchange', of: 'ws_active_connections{@}' }],
  rows: [
    {
      title: 'Flow',
      panels: [
        series(
          'Messages/s',
          'By channel; also acknowledgements and pongs (control), and what is not understood (invalid).',
          'mps',
          [
            {
              expr: 'sum by (exchange, channel) (rate(ws_messages_received_total{@,exchange=~"$exchange"}[$__rate_interval]))',
              legend: '{{exchange}} {{channel}}',
            },
          ],
          { stacked: true },
        ),
        series('Ticks/s', 'Ticks that were numbered and given to the outputs.', 'mps', [
          {
            expr: 'sum by (exchange, channel) (rate(tickline_ticks_published_total{@,exchange=~"$exchange"}[$__rate_interval]))',
            legend: '{{exchange}} {{channel}}',
          },
        ]),
        series(
          'Subscriptions',
          'By state. Requested for long, or stale: nothing comes. Rejected: the exchange refused it.',
          'short',
          [
            {
              expr: 'sum by (exchange, state) (tickline_subscriptions{@,exchange=~"$exchange"})',
              legend: '{{exchange}} {{state}}',
            },
          ],
        ),
      ],
    },
    {
      title: 'Latency and clocks',
      panels: [
        series(
          'Latency',
          'Our receive time minus the exchange’s time: median, and the slowest of 20 and of 100 ticks.',
          'ms',
          [
            ...[0.5, 0.95, 0.99].map((quantile) => ({
              expr: `histogram_quantile(${quantile}, sum by (exchange, le) (rate(ws_message_latency_ms_bucket{@,exchange=~"$exchange"}[$__rate_interval])))`,
              legend: `{{exchange}} p${quantile * 100}`,
            })),
          ],
        ),
        heatmap(
          'Latency, distribution',
          'How many messages took how long.',
          'ms',
          'sum by (le) (increase(ws_message_latency_ms_bucket{@,exchange=~"$exchange"}[$__rate_interval]))',
        ),
        series(
          'Least latency',
          'The fastest tick of the last minutes, by pod. Below 0 the exchange’s clock is ahead of ours; seconds above 0 for all exchanges of a pod: our clock is ahead.',
          's',
          [
            {
              expr: withShard('tickline_least_latency_seconds{@,exchange=~"$exchange"}', 'exchange'),
              legend: `{{exchange}} ${SHARD}`,
            },
          ],
        ),
        series(
          'Messages ahead of our clock',
          'Messages whose time lay after their arrival: they are in no latency.',
          'mps',
          [
            {
              expr: 'sum by (exchange) (rate(tickline_clock_skew_messages_total{@,exchange=~"$exchange"}[$__rate_interval]))',
              legend: '{{exchange}}',
            },
          ],
        ),
      ],
    },
    {
      title: 'Connections',
      panels: [
        series(
          'Open connections',
          'By shard. 0 on one shard only: its address may be banned; 0 on all: TicklineExchangeDown.',
          'short',
          [
            {
              expr: withShard('ws_active_connections{@,exchange=~"$exchange"}', 'exchange'),
              legend: `{{exchange}} ${SHARD}`,
            },
          ],
        ),
        series(
          'Reconnects, 10 min',
          'By reason, as the sidecars saw them: lifetime and shutdown are planned, the others lose a session.',
          'short',
          [
            {
              expr: 'sum by (exchange, reason) (increase(tickline_connection_reconnects_total{@,exchange=~"$exchange"}[10m]))',
              legend: '{{exchange}} {{reason}}',
            },
          ],
        ),
        series('Age of the last data', 'Of the connection that has been silent longest.', 's', [
          {
            expr: 'max by (exchange) (tickline_connection_data_age_seconds{@,exchange=~"$exchange"})',
            legend: '{{exchange}}',
          },
        ]),
        series('Connections up', 'As the sidecars see them: open, and their ingestor answers.', 'short', [
          {
            expr: 'sum by (exchange) (tickline_connection_up{@,exchange=~"$exchange"})',
            legend: '{{exchange}}',
          },
        ]),
        series(
          'Subscriptions confirmed',
          'That the exchange acknowledged, whether they bring data or not.',
          'short',
          [
            {
              expr: 'sum by (exchange) (ws_subscription_count{@,exchange=~"$exchange"})',
              legend: '{{exchange}}',
            },
          ],
        ),
        series(
          'Units',
          'Symbols that are configured, and that shards own: the same, or some are read by nobody or twice.',
          'short',
          [
            {
              expr: 'sum by (exchange) (max by (namespace, release, exchange, given) (tickline_units_configured{@,exchange=~"$exchange"}))',
              legend: '{{exchange}} configured',
            },
            {
              expr: `sum by (exchange) (max by (namespace, release, exchange, given, shard) (${withShard('tickline_units_owned{@,exchange=~"$exchange"}', 'exchange', 'given')}))`,
              legend: '{{exchange}} owned',
            },
          ],
        ),
      ],
    },
    {
      title: 'Integrity',
      panels: [
        series('Gaps, 10 min', 'Gap records: ticks known or suspected to be missing.', 'short', [
          {
            expr: 'sum by (exchange, channel) (increase(tickline_gaps_total{@,exchange=~"$exchange"}[10m]))',
            legend: '{{exchange}} {{channel}}',
          },
        ]),
        series('Refused frames/s', 'Frames, or ticks in them, that were not understood, by reason.', 'mps', [
          {
            expr: 'sum by (exchange, reason) (rate(tickline_invalid_frames_total{@,exchange=~"$exchange"}[$__rate_interval]))',
            legend: '{{exchange}} {{reason}}',
          },
        ]),
        series(
          'Repeats and late trades/s',
          'Ticks that an exchange sent again (not published), and trades out of order (published).',
          'mps',
          [
            {
              expr: 'sum by (exchange) (rate(tickline_repeats_suppressed_total{@,exchange=~"$exchange"}[$__rate_interval]))',
              legend: '{{exchange}} repeats',
            },
            {
              expr: 'sum by (exchange) (rate(tickline_late_trades_total{@,exchange=~"$exchange"}[$__rate_interval]))',
              legend: '{{exchange}} late',
            },
          ],
        ),
        series('Own failures', 'Exceptions of Tickline’s own code: always a defect.', 'short', [
          {
            expr: 'sum by (exchange) (increase(tickline_feed_listener_failures_total{@,exchange=~"$exchange"}[10m]))',
            legend: '{{exchange}}',
          },
        ]),
      ],
    },
  ],
};
