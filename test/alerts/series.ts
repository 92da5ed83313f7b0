import { NAMESPACE, RELEASE } from '../chart/helm.ts';

export type Labels = Readonly<Record<string, string>>;

/** Input series of a promtool test: the series, and its values a minute apart (`0+5x20`, `1x9 _x10`). */
export type Series = Readonly<Record<string, string>>;

/** Labels that the chart's monitors give the ingestor of a pod; `shard-0` is a pod's name. */
export function ingestor(pod: string): Labels {
  return { namespace: NAMESPACE, release: RELEASE, pod, container: 'ingestor', instance: `${pod}:9464` };
}

/** The same of the pod's sidecar. */
export function sidecar(pod: string): Labels {
  return { ...ingestor(pod), container: 'sidecar', instance: `${pod}:9466` };
}

/** One series. */
export function series(name: string, target: Labels, labels: Labels, values: string): Series {
  const all = Object.entries({ ...target, ...labels }).map(([label, value]) => `${label}="${value}"`);
  return { [`${name}{${all.join(',')}}`]: values };
}

/** A settled pod, as far as sharding goes: shard `index` of two, unless told otherwise. */
export interface PodSeries {
  readonly name?: string;
  readonly shards?: number;
  readonly shardsConfigured?: number;
  readonly assignment?: string;
  /** Values of `tickline_ready`; also how long the pod is there. */
  readonly ready?: string;
}

/** Series of a pod's ingestor that tell its shard. */
export function pod(shard: number, own: PodSeries = {}): Series {
  const { name = `shard-${shard}`, shards = 2, assignment = 'a1', ready = '1x90' } = own;
  const there = ready.replace(/\b0x/g, '1x');
  const target = ingestor(name);
  return {
    ...series('tickline_ready', target, {}, ready),
    ...series('tickline_pod_shard_info', target, { shard: `${shard}`, shards: `${shards}` }, there),
    ...series(
      'tickline_shards_configured',
      target,
      {},
      there.replace(/\b1x/g, `${own.shardsConfigured ?? shards}x`),
    ),
    ...series('tickline_assignment_info', target, { assignment }, there),
  };
}

/** Both pods of a fleet of two shards. */
export const fleet: Series = { ...pod(0), ...pod(1) };

/** Units of OKX by count and hash, as a pod tells them. */
export function units(
  name: string,
  configured: readonly [count: number, hash: number],
  owned: readonly [count: number, hash: number],
  given: 'name' | 'pattern' = 'name',
  length = 90,
): Series {
  const of = (metric: string, value: number) =>
    series(metric, ingestor(name), { exchange: 'okx', given }, `${value}x${length}`);
  return {
    ...of('tickline_units_configured', configured[0]),
    ...of('tickline_units_configured_hash', configured[1]),
    ...of('tickline_units_owned', owned[0]),
    ...of('tickline_units_owned_hash', owned[1]),
  };
}

/** A histogram's buckets that grow by so much a minute. */
export function buckets(name: string, target: Labels, labels: Labels, perMinute: Labels): Series {
  return Object.assign(
    {},
    ...Object.entries(perMinute).map(([le, growth]) =>
      series(`${name}_bucket`, target, { ...labels, le }, `0+${growth}x90`),
    ),
  ) as Series;
}
