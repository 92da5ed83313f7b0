import { describe, expect, it } from 'vitest';
import { type Monitor, nameOf, ofKind } from './kubernetes-objects.ts';
import { ciNames, renderCi } from './rendered.ts';

/** API reference of the Prometheus operator, PodMetricsEndpoint and Endpoint: what both have and the chart uses. */
const ENDPOINT = ['port', 'path', 'interval', 'scrapeTimeout', 'relabelings', 'metricRelabelings'];
/** The same page, RelabelConfig. */
const RELABELING = ['sourceLabels', 'separator', 'targetLabel', 'regex', 'modulus', 'replacement', 'action'];
/** Duration of the same page, with the units that a scrape has. */
const DURATION = /^(\d+)(ms|s|m)$/;
/** Labels of our metrics: as labels of a target they would rename those to `exported_…`. */
const LABELS_OF_METRICS = [
  'shard',
  'shards',
  'exchange',
  'sink',
  'state',
  'code',
  'reason',
  'channel',
  'connection',
];

interface Relabeling {
  readonly targetLabel?: string;
  readonly [field: string]: unknown;
}

describe('PodMonitors and ServiceMonitors', () => {
  it('are each in some render, and never both in one', async () => {
    const kinds = await Promise.all(
      ciNames.map(async (name) => (await monitorsOf(name)).map(({ kind }) => kind)),
    );
    expect(kinds.flat()).toEqual(expect.arrayContaining(['PodMonitor', 'ServiceMonitor']));
    for (const each of kinds) expect(each.length).toBeLessThanOrEqual(1);
  });

  it.each(ciNames)('have the fields of their kinds and no others with ci/%s-values.yaml', async (name) => {
    for (const monitor of await monitorsOf(name)) {
      const { apiVersion, kind, spec } = monitor;
      const endpoints = kind === 'PodMonitor' ? 'podMetricsEndpoints' : 'endpoints';
      expect(apiVersion).toBe('monitoring.coreos.com/v1');
      expect(Object.keys(spec).sort()).toEqual(['jobLabel', 'selector', endpoints].sort());
      for (const endpoint of spec[endpoints] ?? []) {
        expect(Object.keys(endpoint).filter((field) => !ENDPOINT.includes(field))).toEqual([]);
        expect(endpoint.path).toBe('/metrics');
        expect(millisecondsOf(endpoint.scrapeTimeout)).toBeLessThanOrEqual(millisecondsOf(endpoint.interval));
        for (const relabeling of relabelingsOf(endpoint.relabelings, endpoint.metricRelabelings)) {
          expect([
            nameOf(monitor),
            Object.keys(relabeling).filter((each) => !RELABELING.includes(each)),
          ]).toEqual([nameOf(monitor), []]);
        }
      }
    }
  });

  it.each(ciNames)(
    'give every target the label `release`, and none that a metric has, with ci/%s-values.yaml',
    async (name) => {
      for (const { spec } of await monitorsOf(name)) {
        for (const { relabelings } of [...(spec.podMetricsEndpoints ?? []), ...(spec.endpoints ?? [])]) {
          const targets = relabelingsOf(relabelings).map(({ targetLabel }) => targetLabel);
          expect(targets).toContain('release');
          expect(targets.filter((label) => LABELS_OF_METRICS.includes(String(label)))).toEqual([]);
        }
      }
    },
  );
});

async function monitorsOf(name: string): Promise<Monitor[]> {
  const { objects } = await renderCi(name);
  return [...ofKind(objects, 'PodMonitor'), ...ofKind(objects, 'ServiceMonitor')];
}

function relabelingsOf(...lists: readonly unknown[]): Relabeling[] {
  return lists.flatMap((list) => (list ?? []) as Relabeling[]);
}

function millisecondsOf(duration: unknown): number {
  const [, number, unit] = DURATION.exec(String(duration)) ?? [];
  expect([duration, unit]).toEqual([duration, expect.any(String)]);
  return Number(number) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}
