/** One metric as a scrape describes it. */
export interface ScrapedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Names of its labels, in all samples together; those of a histogram's buckets without `le`. */
  readonly labels: readonly string[];
  /** Names of its samples: of a histogram `…_bucket`, `…_sum`, `…_count`. */
  readonly samples: readonly string[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/;

/** The metrics of a scrape in the text format of Prometheus, in its order. */
export function readExposition(text: string): ScrapedMetric[] {
  const help = new Map<string, string>();
  const metrics = new Map<string, { type: string; labels: Set<string>; samples: Set<string> }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') help.set(name!, rest!);
    else if (kind === 'TYPE') metrics.set(name!, { type: rest!, labels: new Set(), samples: new Set() });
    else {
      const [, sample, labels = ''] = SAMPLE.exec(line) ?? [];
      if (sample === undefined) throw new Error(`not a line of a scrape: ${line}`);
      const metric = metrics.get(sample) ?? metrics.get(sample.replace(/_(bucket|sum|count)$/, ''));
      if (metric === undefined) throw new Error(`a sample without TYPE: ${line}`);
      metric.samples.add(sample);
      for (const [, label] of labels.matchAll(/(\w+)="/g)) if (label !== 'le') metric.labels.add(label!);
    }
  }
  return [...metrics].map(([name, { type, labels, samples }]) => ({
    name,
    type,
    help: help.get(name) ?? '',
    labels: [...labels],
    samples: [...samples],
  }));
}
