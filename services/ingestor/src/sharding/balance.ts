import { type PinnedUnit, type Placement, placeBy } from './shard-of.ts';

/** How well the weight is spread over the shards. */
export interface Spread {
  /** The load of each shard, by its number. */
  readonly loads: readonly number[];
  /** The highest load divided by the mean over shards; 1 is even, 0 when there is no weight. */
  readonly hottest: number;
}

export interface BalanceOptions {
  /** Stop when the hottest shard is within this part of the best that is possible. */
  readonly tolerance?: number;
  /** Most pins to add. */
  readonly maxPins?: number;
}

export interface Balanced {
  /** All pins: those that were there, then the new ones, sorted by unit. */
  readonly pins: readonly PinnedUnit[];
  readonly added: readonly PinnedUnit[];
  readonly before: Spread;
  readonly after: Spread;
}

/** The load of each shard when units weigh so much (ticks a second, or any other measure). */
export function spread(placement: Placement, weights: ReadonlyMap<string, number>): Spread {
  const place = placeBy(placement);
  const loads = new Array<number>(placement.count).fill(0);
  for (const [unit, weight] of weights) {
    const shard = place(unit);
    loads[shard] = (loads[shard] ?? 0) + weight;
  }
  return { loads, hottest: hottestRatio(loads) };
}

function hottestRatio(loads: readonly number[]): number {
  const total = loads.reduce((sum, load) => sum + load, 0);
  return total === 0 ? 0 : (Math.max(...loads) * loads.length) / total;
}

/**
 * Few pins that lower the highest load, greedily: while the hottest shard is above the mean, the
 * unit of it whose move to the coolest shard leaves the lower maximum of the two is pinned there.
 * Units that are pinned or exclusive already stay; exclusive shards take nothing.
 */
export function balance(
  placement: Placement,
  weights: ReadonlyMap<string, number>,
  options: BalanceOptions = {},
): Balanced {
  const { tolerance = 0.1, maxPins = 200 } = options;
  const before = spread(placement, weights);
  const place = placeBy(placement);
  const alone = new Set(placement.exclusive.map(({ shard }) => shard));
  const fixed = new Set([
    ...placement.pins.map(({ unit }) => unit),
    ...placement.exclusive.flatMap(({ units }) => units),
  ]);
  const loads = [...before.loads];
  const shared = loads.map((_, shard) => shard).filter((shard) => !alone.has(shard));
  const movable = new Map<number, { unit: string; weight: number }[]>(shared.map((shard) => [shard, []]));
  let heaviest = 0;
  // By weight, then by name: the same weights give the same pins.
  const sorted = [...weights].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  for (const [unit, weight] of sorted) {
    if (alone.has(place(unit))) continue;
    heaviest = Math.max(heaviest, weight);
    if (!fixed.has(unit)) movable.get(place(unit))?.push({ unit, weight });
  }
  const mean = shared.reduce((sum, shard) => sum + loads[shard]!, 0) / shared.length;
  const enough = Math.max(mean, heaviest) * (1 + tolerance);
  const added = new Map<string, number>();
  while (added.size < maxPins) {
    const hot = shared.reduce((a, b) => (loads[b]! > loads[a]! ? b : a));
    const cool = shared.reduce((a, b) => (loads[b]! < loads[a]! ? b : a));
    if (loads[hot]! <= enough) break;
    const candidates = movable.get(hot)!;
    let best = -1;
    let lowest = loads[hot]!;
    for (const [at, { weight }] of candidates.entries()) {
      const highest = Math.max(loads[hot]! - weight, loads[cool]! + weight);
      if (weight > 0 && highest < lowest) {
        best = at;
        lowest = highest;
      }
    }
    if (best < 0) break;
    const [moved] = candidates.splice(best, 1);
    movable.get(cool)!.push(moved!);
    loads[hot]! -= moved!.weight;
    loads[cool]! += moved!.weight;
    added.set(moved!.unit, cool);
  }
  // A unit that came back to where the hash puts it needs no pin.
  const pins = [...added]
    .filter(([unit, shard]) => place(unit) !== shard)
    .map(([unit, shard]) => ({ unit, shard }))
    .sort((a, b) => (a.unit < b.unit ? -1 : 1));
  const all = [...placement.pins, ...pins];
  return { pins: all, added: pins, before, after: spread({ ...placement, pins: all }, weights) };
}
