import { SHARD, withShard } from './by-shard.ts';
import { type Dashboard, heatmap, series } from './panel.ts';

/** Kafka, and the outputs beside it. */
export const kafka: Dashboard = {
  uid: 'tickline-kafka',
  title: 'Tickline / Kafka and outputs',
  description: 'What each output takes, how fast it confirms, what waits for it and what was lost.',
  variables: [{ name: 'sink', label: 'Output', of: 'tickline_sink_healthy{@}' }],
  rows: [
    {
      title: 'Delivery',
      panels: [
        series(
          'Confirmed records/s',
          'Records that the output’s server acknowledged; of gRPC, ticks that clients’ connections took.',
          'mps',
          [
            {
              expr: 'sum by (sink) (rate(tickline_sink_records_acknowledged_total{@,sink=~"$sink"}[$__rate_interval]))',
              legend: '{{sink}}',
            },
          ],
        ),
        series(
          'Acknowledgement',
          'Time from sending a request to its acknowledgement: median, and the slowest of a hundred.',
          's',
          [
            ...[0.5, 0.99].map((quantile) => ({
              expr: `histogram_quantile(${quantile}, sum by (sink, le) (rate(tickline_sink_acknowledgement_seconds_bucket{@,sink=~"$sink"}[$__rate_interval])))`,
              legend: `{{sink}} p${quantile * 100}`,
            })),
          ],
        ),
        heatmap(
          'Acknowledgement of Kafka, distribution',
          'How many requests took how long.',
          's',
          'sum by (le) (increase(tickline_sink_acknowledgement_seconds_bucket{@,sink="kafka"}[$__rate_interval]))',
        ),
      ],
    },
    {
      title: 'Queues',
      panels: [
        series(
          'Queue, share of its limit',
          'By shard. Above 70 %: TicklineQueueHigh. At 100 % sockets pause, then ticks are lost.',
          'percentunit',
          [
            {
              expr: withShard(
                '(tickline_sink_queue_bytes{@,sink=~"$sink"} / tickline_sink_queue_limit_bytes{@,sink=~"$sink"})',
                'sink',
              ),
              legend: `{{sink}} ${SHARD}`,
            },
          ],
          { alarm: { above: 0.7 } },
        ),
        series('Records waiting', 'In the queue or on their way.', 'short', [
          {
            expr: 'sum by (sink) (tickline_sink_queue_records{@,sink=~"$sink"})',
            legend: '{{sink}}',
          },
        ]),
        series(
          'Conflated quotes/s',
          'Quotes that were replaced by a newer one of the same symbol, because the output was behind.',
          'mps',
          [
            {
              expr: 'sum by (sink) (rate(tickline_sink_conflated_total{@,sink=~"$sink"}[$__rate_interval]))',
              legend: '{{sink}}',
            },
          ],
        ),
      ],
    },
    {
      title: 'Trouble',
      panels: [
        series(
          'Healthy pods',
          'Pods that deliver to the output, as a share of all. Below 1: TicklineSinkUnhealthy.',
          'percentunit',
          [{ expr: 'avg by (sink) (tickline_sink_healthy{@,sink=~"$sink"})', legend: '{{sink}}' }],
        ),
        series(
          'Errors, 5 min',
          'By code. A moved leader answers NOT_LEADER_OR_FOLLOWER once; what goes on is TicklineProduceErrors.',
          'short',
          [
            {
              expr: 'sum by (sink, code) (increase(tickline_sink_errors_total{@,sink=~"$sink"}[5m]))',
              legend: '{{sink}} {{code}}',
            },
          ],
        ),
        series('Requests sent again, 5 min', 'Batches that were repeated with identical bytes.', 'short', [
          {
            expr: 'sum by (sink) (increase(tickline_sink_retries_total{@,sink=~"$sink"}[5m]))',
            legend: '{{sink}}',
          },
        ]),
        series(
          'Lost ticks, 10 min',
          'Ticks that an output could not take or gave up: each is in a gap record. Not 0: TicklineRecordsDropped.',
          'short',
          [
            {
              expr: 'sum by (sink) (increase(tickline_sink_shed_total{@,sink=~"$sink"}[10m]))',
              legend: '{{sink}}',
            },
            {
              expr: 'sum(increase(tickline_status_records_refused_total{@}[10m]))',
              legend: 'status records',
            },
          ],
        ),
        series(
          'Dead letters dropped, 10 min',
          'Refused frames that found no room on their way to the topic of invalid frames.',
          'short',
          [
            {
              expr: 'sum by (sink) (increase(tickline_sink_dead_letters_dropped_total{@,sink=~"$sink"}[10m]))',
              legend: '{{sink}}',
            },
          ],
        ),
        series('gRPC clients', 'Clients that are served.', 'short', [
          { expr: 'sum by (sink) (tickline_sink_clients{@})', legend: '{{sink}}' },
        ]),
      ],
    },
  ],
};
