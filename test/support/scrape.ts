import type { Pod } from './pod.ts';

/** A scrape: the sum of a metric's samples that carry these labels, whatever others they carry. */
export type Scraped = (name: string, labels?: Readonly<Record<string, string>>) => number;

/** Reads a pod's `/metrics` as Prometheus would. */
export async function scrape(pod: Pod): Promise<Scraped> {
  const text = await (await fetch(`${pod.metricsUrl}/metrics`)).text();
  const samples = [...text.matchAll(/^([a-z_]+)(?:\{([^}]*)\})? (\S+)/gm)].map(([, name, labels, value]) => ({
    name,
    labels: new Map([...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1], match[2]])),
    value: Number(value),
  }));
  return (name, labels = {}) => {
    const named = samples.filter((sample) => sample.name === name);
    if (named.length === 0) throw new Error(`${name} is not among the metrics`);
    return named
      .filter((sample) =>
        Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
      )
      .reduce((sum, sample) => sum + sample.value, 0);
  };
}
