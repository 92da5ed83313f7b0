import { createHash } from 'node:crypto';
import type { ShardPlan } from './ownership.ts';
import type { ExclusiveUnits, PinnedUnit } from './shard-of.ts';

/** What a pod's configuration says about one exchange's units. */
export interface AssignedExchange {
  /** Symbols and patterns, those of `symbolsFile` included. */
  readonly symbols: readonly string[];
  readonly channels: readonly string[];
}

/** All of the configuration that decides who owns what; a `Config` is one. */
export interface AssignedUnits {
  readonly shard: ShardPlan;
  readonly exchanges: Readonly<Partial<Record<string, AssignedExchange>>>;
}

/**
 * A short hash of all of the configuration that decides which shard reads what: shard count, pins and
 * exclusive shards, the same of before while a change goes on, and each exchange's symbols and channels. It is
 * the same on all pods that agree, in whatever order they name things, and says nothing of the pod's own index.
 * 12 hexadecimal characters.
 */
export function assignmentOf({ shard, exchanges }: AssignedUnits): string {
  const before =
    shard.previousCount === null
      ? null
      : [shard.previousCount, orNull(shard.previousPins, pins), orNull(shard.previousExclusive, exclusive)];
  const wanted = Object.entries(exchanges)
    .flatMap(([name, own]) => (own === undefined ? [] : [[name, sorted(own.symbols), sorted(own.channels)]]))
    .sort(byText);
  const said = JSON.stringify([shard.count, pins(shard.pins), exclusive(shard.exclusive), before, wanted]);
  return createHash('sha256').update(said).digest('hex').slice(0, 12);
}

function pins(of: readonly PinnedUnit[]): unknown {
  return of.map(({ unit, shard }) => [unit, shard]).sort(byText);
}

function exclusive(of: readonly ExclusiveUnits[]): unknown {
  return of.map(({ shard, units }) => [shard, sorted(units)]).sort(byText);
}

function orNull<T>(value: readonly T[] | null, write: (value: readonly T[]) => unknown): unknown {
  return value === null ? null : write(value);
}

/** Each once, by code units: a locale would order differently from pod to pod. */
function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function byText(one: unknown, other: unknown): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}
