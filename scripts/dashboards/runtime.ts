import { SHARD, withShard } from './by-shard.ts';
import { type Dashboard, series, table } from './panel.ts';

/** The processes: memory, CPU, event loop, restarts. */
export const runtime: Dashboard = {
  uid: 'tickline-runtime',
  title: 'Tickline / Runtime',
  description: 'Memory, CPU, event loop and restarts of the ingestors, and what their sidecars say of them.',
  rows: [
    {
      title: 'Memory',
      panels: [
        series(
          'Memory, share of the limit',
          'Resident memory of the container’s limit. Above 90 %: TicklineMemoryNearLimit.',
          'percentunit',
          [
            {
              expr: withShard('(process_resident_memory_bytes{@} / tickline_memory_limit_bytes{@})'),
              legend: SHARD,
            },
          ],
          { alarm: { above: 0.9 } },
        ),
        series(
          'Heap, share of the limit',
          'JavaScript heap in use, of what it may grow to.',
          'percentunit',
          [
            {
              expr: withShard('(nodejs_heap_size_used_bytes{@} / tickline_heap_limit_bytes{@})'),
              legend: SHARD,
            },
          ],
          { alarm: { above: 0.9 } },
        ),
        series('Outside the heap', 'Buffers: mostly queues and what sockets brought.', 'bytes', [
          { expr: withShard('nodejs_external_memory_bytes{@}'), legend: SHARD },
        ]),
      ],
    },
    {
      title: 'CPU and event loop',
      panels: [
        series(
          'CPU',
          'Cores in use; one is the most that an ingestor can use. Above 0.85: TicklineCpuSaturated.',
          'short',
          [{ expr: withShard('rate(process_cpu_seconds_total{@}[$__rate_interval])'), legend: SHARD }],
          { alarm: { above: 0.85 } },
        ),
        series(
          'Event loop delay, p99',
          'How late timers run: how long frames wait before they are read.',
          's',
          [{ expr: withShard('nodejs_eventloop_lag_p99_seconds{@}'), legend: SHARD }],
        ),
        series('Garbage collection', 'Share of the time, by kind.', 'percentunit', [
          {
            expr: 'sum by (kind) (rate(nodejs_gc_duration_seconds_sum{@}[$__rate_interval]))',
            legend: '{{kind}}',
          },
        ]),
      ],
    },
    {
      title: 'Lives',
      panels: [
        series(
          'Ingestors that do not answer',
          'As their sidecars see them, by state: unreachable is gone, hung takes connections and does not answer.',
          'short',
          [
            {
              expr: 'sum by (state) (tickline_ingestor_state{@,state=~"unreachable|hung|bad-answer"})',
              legend: '{{state}}',
            },
          ],
        ),
        series(
          'Restarts, 30 min',
          'Ingestors that came back as another process beside the same sidecar.',
          'short',
          [
            {
              expr: 'sum by (namespace, release, pod) (increase(tickline_ingestor_restarts_total{@}[30m]))',
              legend: '{{release}} {{pod}}',
            },
          ],
        ),
        series(
          'Records that drains left',
          'Unacknowledged records of pods that ended: TicklineDrainTimeout.',
          'short',
          [{ expr: withShard('tickline_drain_unacknowledged_records{@}'), legend: SHARD }],
        ),
        series('Uptime', 'Since the ingestor’s process started.', 's', [
          { expr: withShard('(time() - process_start_time_seconds{@})'), legend: SHARD },
        ]),
        series('Open files', 'Sockets and files of the ingestor.', 'short', [
          { expr: withShard('process_open_fds{@}'), legend: SHARD },
        ]),
        series(
          'Age of the ingestor’s last answer',
          'Of the one that has not answered its sidecar longest.',
          's',
          [
            {
              expr: 'max by (namespace, release) (tickline_ingestor_status_age_seconds{@})',
              legend: '{{release}}',
            },
          ],
        ),
        table('Versions', 'Version of each pod and of its Node.', 'tickline_build_info{@}', 24),
      ],
    },
  ],
};
