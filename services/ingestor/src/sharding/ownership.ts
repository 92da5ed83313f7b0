import { type ExclusiveUnits, type PinnedUnit, type Placement, placeBy } from './shard-of.ts';

/** The part of the configuration that says who owns what. */
export interface ShardPlan {
  readonly count: number;
  readonly previousCount: number | null;
  readonly pins: readonly PinnedUnit[];
  readonly exclusive: readonly ExclusiveUnits[];
  readonly previousPins: readonly PinnedUnit[] | null;
  readonly previousExclusive: readonly ExclusiveUnits[] | null;
}

/**
 * Whether a pod owns a unit. While `previousCount` is set it owns what it owned before as well
 * (expand), so that a unit is read by its old and its new owner until every pod knows the new
 * placement; then the setting is taken out (contract). Consumers see repeats in between, no holes.
 */
export function ownership(shard: ShardPlan & { readonly index: number }): (unit: string) => boolean {
  const owners = ownersBy(shard);
  return (unit) => owners(unit).includes(shard.index);
}

/** The shards that own a unit: one, or two while `previousCount` is set. The new owner is first. */
export function ownersBy(shard: ShardPlan): (unit: string) => readonly number[] {
  const now = placeBy(shard);
  const previous = previousPlacement(shard);
  if (previous === null) return (unit) => [now(unit)];
  const before = placeBy(previous);
  return (unit) => {
    const [owner, former] = [now(unit), before(unit)];
    return owner === former ? [owner] : [owner, former];
  };
}

/** How many pods run: the old and the new ones while the count changes. */
export function podCount(shard: Pick<ShardPlan, 'count' | 'previousCount'>): number {
  return Math.max(shard.count, shard.previousCount ?? 0);
}

/**
 * The placement before the change, or null. Where the former pins are not named they were the
 * present ones, as far as their shards were there.
 */
function previousPlacement(shard: ShardPlan): Placement | null {
  const count = shard.previousCount;
  if (count === null) return null;
  const exclusive = shard.previousExclusive ?? shard.exclusive.filter((each) => each.shard < count);
  return {
    count,
    pins: shard.previousPins ?? shard.pins.filter((pin) => pin.shard < count),
    // Shards that are all exclusive left no place for others: then they can't have been.
    exclusive: exclusive.length < count ? exclusive : [],
  };
}
