import type { ScrapedMetric } from './exposition.ts';

const INTRODUCTION = `# Metrics

<!-- Checked against a real scrape by test/alerts/real-scrape.test.ts, which writes it with: vitest run -u. -->

Two processes of each pod are scraped: the ingestor (port \`metrics\`, 9464) and its sidecar (port \`sidecar\`, 9466), both under \`/metrics\`. No name is in both. Nothing is counted for metrics alone: each reads plain counters when it is scraped, so that a scrape costs the flow of ticks nothing but its own time.

The monitors of the Helm chart attach \`namespace\`, \`pod\`, \`container\` and \`release\`; alerts ([runbooks](runbooks/README.md)) and dashboards choose by namespace and release. Series of one pod are joined by \`ignoring (…)\` the labels below: whatever other labels Prometheus gives its targets, they meet. The shard of a series:

\`\`\`
sum by (shard) (rate(ws_messages_received_total[5m])
  * ignoring (exchange, channel, shard, shards) group_left (shard) tickline_pod_shard_info)
\`\`\`
`;

/** The reference of all metrics, as Markdown, from one scrape of each process. */
export function metricsReference(
  ingestor: readonly ScrapedMetric[],
  sidecar: readonly ScrapedMetric[],
): string {
  const own = (metric: ScrapedMetric) => /^(ws|tickline)_/.test(metric.name);
  return [
    INTRODUCTION,
    section('Ingestor', ingestor.filter(own)),
    section(
      'Ingestor: its process',
      ingestor.filter((metric) => !own(metric)),
    ),
    section('Sidecar', sidecar),
  ].join('\n');
}

function section(title: string, metrics: readonly ScrapedMetric[]): string {
  const rows = [...metrics]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, type, labels, help }) => {
      const list = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${list} | ${help.replaceAll('|', '\\|')} |`;
    });
  return [`## ${title}`, '', '| metric | type | labels | what it tells |', '| --- | --- | --- | --- |']
    .concat(rows, '')
    .join('\n');
}
