/**
 * A metric's series with the shard of the pod that they come from. `own` are the labels that the metric itself
 * has: series of one scrape meet by all others, whatever labels Prometheus gives its targets.
 */
export function withShard(expr: string, ...own: readonly string[]): string {
  return `${expr} * ignoring (${[...own, 'shard', 'shards'].join(', ')}) group_left (shard) tickline_pod_shard_info{@}`;
}

/** The name of a shard's series. */
export const SHARD = '{{release}} shard {{shard}}';
