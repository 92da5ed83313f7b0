import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../scripts/stack/paths.ts';
import { RELEASE } from '../chart/helm.ts';
import { render } from '../chart/rendered.ts';
import { installable } from './rendered-rules.ts';

interface Endpoint {
  readonly port: string;
  readonly relabelings: readonly {
    readonly sourceLabels?: readonly string[];
    readonly targetLabel?: string;
  }[];
}

/** Labels of metrics, from the reference. */
const ofMetrics = new Set(
  [
    ...readFileSync(join(repositoryRoot, 'docs', 'metrics.md'), 'utf8').matchAll(
      /^\| `\w+` \| \w+ \| (.*?) \|/gm,
    ),
  ].flatMap(([, labels]) => [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!)),
);

describe.each([
  ['podMonitor', 'PodMonitor', 'podMetricsEndpoints'],
  ['serviceMonitor', 'ServiceMonitor', 'endpoints'],
] as const)('the %s', (value, kind, endpoints) => {
  it('gives the targets of both containers the label by which rules and dashboards choose', async () => {
    const { objects } = await render({ set: { ...installable, [`monitoring.${value}.enabled`]: true } });
    const monitor = objects.find((object) => object.kind === kind)!;
    const scraped = (monitor.spec as Record<string, Endpoint[]>)[endpoints]!;
    expect(scraped.map(({ port }) => port).sort()).toEqual(['metrics', 'sidecar']);
    for (const { relabelings } of scraped) {
      const release = relabelings.find(({ targetLabel }) => targetLabel === 'release');
      expect(release?.sourceLabels).toEqual(['__meta_kubernetes_pod_label_app_kubernetes_io_instance']);
    }
    const [deployment] = objects.filter((object) => object.kind === 'Deployment');
    const { template } = deployment!.spec as { template: { metadata: { labels: Record<string, string> } } };
    expect(template.metadata.labels['app.kubernetes.io/instance']).toBe(RELEASE);
  });

  it('takes no label’s name from a metric: that would become exported_…', async () => {
    const { objects } = await render({ set: { ...installable, [`monitoring.${value}.enabled`]: true } });
    const { spec } = objects.find((object) => object.kind === kind)!;
    const scraped = (spec as Record<string, Endpoint[]>)[endpoints]!;
    const given = scraped.flatMap(({ relabelings }) => relabelings.map(({ targetLabel }) => targetLabel!));
    const taken = [...given, 'namespace', 'pod', 'container', 'endpoint', 'job', 'instance', 'service'];
    expect(ofMetrics).toContain('shard');
    for (const label of taken) expect(ofMetrics).not.toContain(label);
  });
});
